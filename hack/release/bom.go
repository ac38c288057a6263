package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// boms writes, for each program, which modules it holds: read from the program itself, in CycloneDX.
func (r *release) boms(all []built) error {
	for _, b := range all {
		program, err := os.ReadFile(b.Path)
		if err != nil {
			return err
		}
		text, err := output(exec.Command(r.SBOM, "bin", "-json", "-std", "-version", r.Version,
			"-serial", serial(program), "-notimestamp", b.Path))
		if err != nil {
			return err
		}
		// The tool knows only the time at which it runs.
		if text, err = replaced(text, "\n  \"metadata\": {\n",
			fmt.Sprintf("\n  \"metadata\": {\n    \"timestamp\": %q,\n", r.Time.Format(time.RFC3339))); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(r.To, r.stem(b.program)+".cdx.json"), []byte(text+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// serial is a UUID (RFC 9562, version 8) that follows from the program.
func serial(program []byte) string {
	sum := sha256.Sum256(program)
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
