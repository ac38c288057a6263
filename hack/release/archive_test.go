package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestZippedHoldsWhatItWasGiven(t *testing.T) {
	at := time.Unix(1_800_000_000, 0).UTC()
	want := []file{{Name: "a.exe", Mode: 0o755, Content: []byte("program")}, {Name: "LICENSE", Mode: 0o644, Content: []byte("text")}}
	packed, err := zipped(at, want)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	var got []file
	for _, f := range r.File {
		opened, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(opened)
		if err := errors.Join(err, opened.Close()); err != nil {
			t.Fatal(err)
		}
		got = append(got, file{Name: f.Name, Mode: int64(f.Mode().Perm()), Content: content})
		if !f.Modified.Equal(at) {
			t.Errorf("%s is of %s", f.Name, f.Modified)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReplacedRefusesWhatIsNotThereOnce(t *testing.T) {
	for text, fine := range map[string]bool{"image: a": true, "image: b": false, "image: a image: a": false} {
		got, err := replaced(text, "image: a", "image: c")
		if fine != (err == nil) || fine && got != "image: c" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestAVersionIsSemantic(t *testing.T) {
	r := &release{From: "a", To: "b", Image: "c", Home: "d", Kubectl: "e", Helm: "f", SBOM: "g"}
	for version, fine := range map[string]bool{"v0.1.0": true, "v1.2.3-rc.1": true, "0.1.0": false, "v1": false, "v0.1.0 -X main.a=b": false, "": false} {
		r.Version = version
		if err := r.check(); fine != (err == nil) {
			t.Errorf("%q: %v", version, err)
		}
	}
}

func TestUnpackStaysInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "a.tar")
	var packed bytes.Buffer
	if err := tarOf(&packed, time.Unix(0, 0), []file{{Name: "../outside", Mode: 0o644, Content: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "to")
	if err := errors.Join(os.WriteFile(archive, packed.Bytes(), 0o600), os.Mkdir(to, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := unpack(archive, to); err == nil {
		t.Error("an archive wrote beside its directory")
	}
	if _, err := os.Stat(filepath.Join(dir, "outside")); err == nil {
		t.Error("an archive wrote beside its directory")
	}
}
