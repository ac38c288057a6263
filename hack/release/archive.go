package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"time"
)

// file goes into an archive or a layer. A name that ends in / is a directory.
type file struct {
	Name    string
	Mode    int64
	Content []byte
}

// tarOf writes files in their order, all of root and of one time.
func tarOf(to io.Writer, at time.Time, files []file) error {
	w := tar.NewWriter(to)
	for _, f := range files {
		header := &tar.Header{
			Name: f.Name, Mode: f.Mode, Size: int64(len(f.Content)), ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		}
		if f.Name[len(f.Name)-1] == '/' {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(f.Content); err != nil {
			return err
		}
	}
	return w.Close()
}

func gzipped(at time.Time, files []file) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := tarOf(w, at, files); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

func zipped(at time.Time, files []file) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at}
		header.SetMode(os.FileMode(f.Mode))
		entry, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f.Content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// archive is the name of a program's archive: what people unpack with what their system brings.
func (r *release) archive(p program) string {
	if p.OS == "windows" {
		return r.stem(p) + ".zip"
	}
	return r.stem(p) + ".tar.gz"
}

func (r *release) archives(all []built) error {
	for _, b := range all {
		content, err := os.ReadFile(b.Path)
		if err != nil {
			return err
		}
		files := append([]file{{Name: b.file(), Mode: 0o755, Content: content}}, b.Texts...)
		pack := gzipped
		if b.OS == "windows" {
			pack = zipped
		}
		packed, err := pack(r.Time, files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(r.To, r.archive(b.program)), packed, 0o644); err != nil {
			return err
		}
	}
	return nil
}
