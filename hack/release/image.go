package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is nobody's: the image knows no names, and Kubernetes wants a number to see that it is not root.
const user = "65532:65532"

// image writes the manager's image as an archive of an OCI layout and returns its digest. Its root is empty but for
// the program, the certificates it trusts and the licences: no shell, no package manager, no base that would have to
// be followed.
func (r *release) image(work string, all []built) (v1.Hash, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range all {
		if b.Name != "manager" {
			continue
		}
		image, err := r.imageOf(b)
		if err != nil {
			return v1.Hash{}, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: b.OS, Architecture: b.Arch}},
		})
	}
	index = mutate.Annotations(index, r.labels()).(v1.ImageIndex)
	digest, err := index.Digest()
	if err != nil {
		return v1.Hash{}, err
	}
	dir := filepath.Join(work, "image")
	at, err := layout.Write(dir, empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	// The names by which an archive is found: the first is OCI's, the second that of containerd.
	if err := at.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": r.Version,
		"io.containerd.image.name":          r.Image + ":" + r.Version,
	})); err != nil {
		return v1.Hash{}, err
	}
	files, err := tree(dir)
	if err != nil {
		return v1.Hash{}, err
	}
	var packed bytes.Buffer
	if err := tarOf(&packed, r.Time, files); err != nil {
		return v1.Hash{}, err
	}
	if err := os.WriteFile(filepath.Join(r.To, "agent-identity-operator_"+r.Version+"_oci.tar"), packed.Bytes(), 0o644); err != nil {
		return v1.Hash{}, err
	}
	reference := r.Image + "@" + digest.String() + "\n"
	return digest, os.WriteFile(filepath.Join(r.To, "image.txt"), []byte(reference), 0o644)
}

func (r *release) imageOf(b built) (v1.Image, error) {
	program, err := os.ReadFile(b.Path)
	if err != nil {
		return nil, err
	}
	files := []file{{Name: "manager", Mode: 0o755, Content: program}, {Name: "licenses/", Mode: 0o755}}
	for _, text := range b.Texts {
		text.Name = "licenses/" + text.Name
		files = append(files, text)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, layer := range []struct {
		by    string
		files []file
	}{
		{"certificates of golang.org/x/crypto/x509roots", certificates()},
		{"the program and its licences", files},
	} {
		packed, err := layerOf(r.Time, layer.files)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.Append(image, mutate.Addendum{
			Layer: packed, History: v1.History{Created: v1.Time{Time: r.Time}, CreatedBy: layer.by},
		}); err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = b.OS, b.Arch, v1.Time{Time: r.Time}
	config.Config = v1.Config{User: user, Entrypoint: []string{"/manager"}, WorkingDir: "/", Labels: r.labels()}
	return mutate.ConfigFile(image, config)
}

func (r *release) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "agent-identity-operator",
		"org.opencontainers.image.description": "Gives AI agents their identity in Okta",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      r.Home,
		"org.opencontainers.image.version":     r.Version,
		"org.opencontainers.image.revision":    r.Revision,
		"org.opencontainers.image.created":     r.Time.Format(time.RFC3339),
	}
}

// certificates are the roots that Mozilla trusts, from a Go module, so that go.sum pins them. Those that are
// trusted with conditions stay out: a file of certificates cannot say conditions.
func certificates() []file {
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			roots.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return []file{
		{Name: "etc/", Mode: 0o755},
		{Name: "etc/ssl/", Mode: 0o755},
		{Name: "etc/ssl/certs/", Mode: 0o755},
		{Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Content: roots.Bytes()},
	}
}

func layerOf(at time.Time, files []file) (v1.Layer, error) {
	var b bytes.Buffer
	if err := tarOf(&b, at, files); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
}
