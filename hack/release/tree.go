package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tree reads a directory in the order of its names, and says nothing of its times and modes.
func tree(dir string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		f := file{Name: filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator))), Mode: 0o644}
		if entry.IsDir() {
			f.Name, f.Mode = f.Name+"/", 0o755
		} else if f.Content, err = os.ReadFile(path); err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	return files, err
}
