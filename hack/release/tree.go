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

// spread writes files into a directory, with their modes whatever this machine takes from new files.
func spread(dir string, files []file) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		write := func() error { return os.WriteFile(path, f.Content, 0o600) }
		if strings.HasSuffix(f.Name, "/") {
			write = func() error { return os.MkdirAll(path, 0o700) }
		}
		if err := write(); err != nil {
			return err
		}
		if err := os.Chmod(path, os.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	return nil
}
