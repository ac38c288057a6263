package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// Runtime modules of each program, at most. One more is a decision: who reads it, who follows its
// vulnerabilities (CONTRIBUTING.md). Count with: go version -m bin/manager | grep -c '^.dep'
func budget() map[string]int { return map[string]int{"manager": 112, "kubectl-agentid": 92} }

// TestRelease makes a release for this machine's platform from two directories, the second with other times and modes,
// also of what is written anew, and asks everything of it that does not take all platforms.
func TestRelease(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	one := made(t, root)
	elsewhere := copied(t, root)
	usual := syscall.Umask(0o077)
	two := made(t, elsewhere)
	syscall.Umask(usual)
	t.Run("two directories, one release", func(t *testing.T) { same(t, one.To, two.To) })
	t.Run("nothing is missing", func(t *testing.T) { complete(t, one) })
	t.Run("the sums are right", func(t *testing.T) {
		if out, err := command(one.To, "sha256sum", "--check", "--strict", "SHA256SUMS"); err != nil {
			t.Error(out, err)
		}
	})
	t.Run("programs run from their archives", func(t *testing.T) { programsRun(t, one) })
	t.Run("SBOMs name every module", func(t *testing.T) { bomsAreWhole(t, one) })
	t.Run("the image", func(t *testing.T) { imageIsMinimal(t, one) })
	t.Run("chart and manifests name the image", func(t *testing.T) { imageIsNamed(t, one) })
	t.Run("krew installs the plugin", func(t *testing.T) { krewInstalls(t, one) })
}

func made(t *testing.T, from string) *release {
	t.Helper()
	r := &release{
		From: from, To: t.TempDir(), Version: "v0.1.0", Revision: "0123456789abcdef", Time: time.Unix(1_800_000_000, 0).UTC(),
		Image: "registry.example/agent-identity-operator", Home: "https://example.com/agent-identity-operator",
		Kubectl: os.Getenv("KUBECTL"), Helm: os.Getenv("HELM"), SBOM: os.Getenv("CYCLONEDX"),
	}
	for _, p := range programs() {
		if p.OS == runtime.GOOS && p.Arch == runtime.GOARCH || p.Name == "manager" && runtime.GOOS != "linux" && p.Arch == "amd64" {
			r.Programs = append(r.Programs, p)
		}
	}
	if err := r.make(); err != nil {
		t.Fatal(err)
	}
	return r
}

// copied is the tree as git would hand it on, on another machine, later.
func copied(t *testing.T, root string) string {
	t.Helper()
	listed, err := command(root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatal(listed, err)
	}
	to := filepath.Join(t.TempDir(), "elsewhere")
	for _, file := range strings.Split(strings.TrimRight(listed, "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, os.ErrNotExist) { // deleted here, and not yet in git
			continue
		}
		path := filepath.Join(to, file)
		at := time.Unix(1_234_567_890, 0)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o700), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func command(dir, program string, args ...string) (string, error) {
	c := exec.Command(program, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func same(t *testing.T, one, two string) {
	t.Helper()
	if diff := cmp.Diff(names(t, one), names(t, two)); diff != "" {
		t.Fatal(diff)
	}
	for _, name := range names(t, one) {
		a, errA := os.ReadFile(filepath.Join(one, name))
		b, errB := os.ReadFile(filepath.Join(two, name))
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s is not the same in both", name)
		}
	}
}

func complete(t *testing.T, r *release) {
	t.Helper()
	want := []string{
		"SHA256SUMS", "agent-identity-operator-0.1.0.tgz", "agent-identity-operator_v0.1.0_oci.tar", "agentid.yaml", "image.txt", "install.yaml",
	}
	for _, p := range r.Programs {
		want = append(want, r.archive(p), r.stem(p)+".cdx.json")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, names(t, r.To)); diff != "" {
		t.Error(diff)
	}
}

func unpacked(t *testing.T, r *release, p program) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := command(dir, "tar", "-xzf", filepath.Join(r.To, r.archive(p))); err != nil {
		t.Fatal(out, err)
	}
	if diff := cmp.Diff([]string{"LICENSE", "THIRD_PARTY_LICENSES", p.Name}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	return filepath.Join(dir, p.Name)
}

func programsRun(t *testing.T, r *release) {
	t.Helper()
	for _, p := range r.Programs {
		if p.OS != runtime.GOOS {
			continue
		}
		argument, want := "--version", r.Version
		if p.Name == "manager" {
			argument, want = "-help", "the configuration file"
		}
		if out, err := command(t.TempDir(), unpacked(t, r, p), argument); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s %s says %q, %v; want %q in it", p.Name, argument, out, err, want)
		}
	}
}

func bomsAreWhole(t *testing.T, r *release) {
	t.Helper()
	for _, p := range r.Programs {
		text, err := os.ReadFile(filepath.Join(r.To, r.stem(p)+".cdx.json"))
		if err != nil {
			t.Fatal(err)
		}
		var bom struct {
			SpecVersion string
			Metadata    struct{ Timestamp string }
			Components  []struct{ Name, Version string }
		}
		if err := json.Unmarshal(text, &bom); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range bom.Components {
			if c.Name != "std" {
				got = append(got, c.Name+" "+c.Version)
			}
		}
		slices.Sort(got)
		// Independent of how a release reads them: go version's own words.
		said, err := command(r.From, "go", "version", "-m", unpacked(t, r, p))
		if err != nil {
			t.Fatal(said, err)
		}
		var want []string
		for line := range strings.Lines(said) {
			if words := strings.Fields(line); len(words) > 2 && words[0] == "dep" {
				want = append(want, words[1]+" "+words[2])
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", p.Name, diff)
		}
		if bom.Metadata.Timestamp != "2027-01-15T08:00:00Z" {
			t.Errorf("%s is of %q", p.Name, bom.Metadata.Timestamp)
		}
		if most := budget()[p.Name]; len(want) > most {
			t.Errorf("%s has %d modules, and may have %d (CONTRIBUTING.md)", p.Name, len(want), most)
		}
	}
}

// imageIsMinimal brings the image to a registry as a release does, and looks at what a node would pull.
func imageIsMinimal(t *testing.T, r *release) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	to := strings.TrimPrefix(server.URL, "http://") + "/agent-identity-operator:" + r.Version
	pushed, err := push(filepath.Join(r.To, "agent-identity-operator_"+r.Version+"_oci.tar"), to)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(to)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	_, digest, _ := strings.Cut(pushed, "@")
	if told := read(t, r, "image.txt"); told != r.Image+"@"+digest+"\n" {
		t.Errorf("image.txt says %q; the registry has %s", told, pushed)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		want := v1.Config{User: "65532:65532", Entrypoint: []string{"/manager"}, WorkingDir: "/", Labels: r.labels()}
		if diff := cmp.Diff(want, config.Config); diff != "" {
			t.Error(diff)
		}
		filesOf(t, image)
	}
}

func filesOf(t *testing.T, image v1.Image) {
	t.Helper()
	dir := t.TempDir()
	content := mutate.Extract(image)
	defer content.Close()
	c := exec.Command("tar", "-x", "-C", dir)
	c.Stdin = content
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatal(string(out), err)
	}
	all, err := tree(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	roots := x509.NewCertPool()
	for _, f := range all {
		if !strings.HasSuffix(f.Name, "/") {
			got = append(got, f.Name)
		}
		if strings.HasSuffix(f.Name, ".crt") && !roots.AppendCertsFromPEM(f.Content) {
			t.Errorf("%s holds no certificates", f.Name)
		}
	}
	if diff := cmp.Diff([]string{
		"etc/ssl/certs/ca-certificates.crt", "licenses/LICENSE", "licenses/THIRD_PARTY_LICENSES", "manager",
	}, got); diff != "" {
		t.Error(diff)
	}
}

func imageIsNamed(t *testing.T, r *release) {
	t.Helper()
	image := strings.TrimSpace(read(t, r, "image.txt"))
	rendered, err := command(r.To, r.Helm, "template", "x", "agent-identity-operator-0.1.0.tgz",
		"--set", "clusterID=a,okta.orgURL=https://example.okta.com,clusterWide=true")
	if err != nil {
		t.Fatal(rendered, err)
	}
	for from, text := range map[string]string{"install.yaml": read(t, r, "install.yaml"), "the chart": rendered} {
		var images []string
		for line := range strings.Lines(text) {
			if value, found := strings.CutPrefix(strings.TrimSpace(line), "image: "); found {
				images = append(images, strings.Trim(value, `"`))
			}
		}
		if diff := cmp.Diff([]string{image}, images); diff != "" {
			t.Errorf("%s: %s", from, diff)
		}
	}
}

// krewInstalls asks krew's own rules, and then krew, which checks the archive by its sum.
func krewInstalls(t *testing.T, r *release) {
	t.Helper()
	if out, err := command(r.To, os.Getenv("VALIDATE_KREW"), "-skip-install", "-manifest", "agentid.yaml"); err != nil {
		t.Error(out, err)
	}
	t.Setenv("KREW_ROOT", t.TempDir())
	plugin := r.Programs[slices.IndexFunc(r.Programs, func(p program) bool { return p.Name == "kubectl-agentid" })]
	if out, err := command(r.To, os.Getenv("KREW"), "install", "--manifest=agentid.yaml", "--archive="+r.archive(plugin)); err != nil {
		t.Fatal(out, err)
	}
	t.Setenv("PATH", filepath.Join(os.Getenv("KREW_ROOT"), "bin")+":"+os.Getenv("PATH"))
	out, err := command(r.To, r.Kubectl, "agentid", "--version")
	if err != nil || !strings.Contains(out, r.Version) {
		t.Errorf("kubectl agentid --version says %q, %v", out, err)
	}
}

func read(t *testing.T, r *release, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.To, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCertificates(t *testing.T) {
	files := certificates()
	rest, count, okta := files[len(files)-1].Content, 0, false
	for len(rest) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		root, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		count++
		okta = okta || root.Subject.CommonName == "DigiCert Global Root G2"
	}
	if count < 100 || !okta {
		t.Errorf("%d roots, DigiCert's, by which Okta's certificates are issued, among them: %t", count, okta)
	}
}
