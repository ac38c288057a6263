package cel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// TestInvalidManifests applies what people may well write, as `kubectl apply
// --dry-run=server` does, and looks for the words that help them. The first line of
// each manifest, after "# want: ", is part of the message. Server-side apply, whose
// messages are not ours to choose, must refuse it too.
func TestInvalidManifests(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "invalid", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("finding the invalid manifests: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			want, ok := strings.CutPrefix(first, "# want: ")
			if !ok || strings.TrimSpace(want) == "" {
				t.Fatalf("the first line must be `# want: part of the message`, is %q", first)
			}
			var o unstructured.Unstructured
			if err := yaml.UnmarshalStrict(text, &o.Object); err != nil {
				t.Fatal(err)
			}
			if resources[o.GetKind()] == "" {
				t.Fatalf("unknown kind %q", o.GetKind())
			}
			o.SetNamespace(namespace)
			err = tryCreate(t, &o)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want …%s…\ngot  %v", want, err)
			}
			_, err = client(o.GetKind()).Apply(t.Context(), o.GetName(), &o, metav1.ApplyOptions{
				FieldManager: "people", DryRun: []string{metav1.DryRunAll},
			})
			if err == nil {
				t.Error("server-side apply took the manifest, and must refuse it")
			}
		})
	}
}
