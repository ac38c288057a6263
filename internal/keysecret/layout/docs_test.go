package layout

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestExamplesOfTheSpecification executes docs/spec/secret-shapes.md: its blocks of
// YAML are a shape and what it yields, by turns.
func TestExamplesOfTheSpecification(t *testing.T) {
	parts := strings.Split(specification(t), "```")
	var blocks []string
	for i := 1; i < len(parts); i += 2 {
		blocks = append(blocks, strings.TrimPrefix(parts[i], "yaml\n"))
	}
	if len(blocks) < 2 || len(blocks)%2 != 0 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for i := 0; i < len(blocks); i += 2 {
		var example struct {
			Delivery Delivery
			Secret   struct {
				Name     string
				Preset   Preset
				Template map[string]string
			}
		}
		var want map[string]string
		if err := yaml.UnmarshalStrict([]byte(blocks[i]), &example); err != nil {
			t.Fatalf("%v in\n%s", err, blocks[i])
		}
		if err := yaml.UnmarshalStrict([]byte(blocks[i+1]), &want); err != nil {
			t.Fatalf("%v in\n%s", err, blocks[i+1])
		}
		fields, err := sample(example.Delivery)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Render(Shape{Preset: example.Secret.Preset, Template: example.Secret.Template}, fields)
		if diff := cmp.Diff(want, readable(got)); err != nil || diff != "" {
			t.Errorf("error %v (-documented +rendered)\n%s\nin\n%s", err, diff, blocks[i])
		}
	}
}

// TestSpecificationIsComplete holds that people find every key, field and function.
func TestSpecificationIsComplete(t *testing.T) {
	text := specification(t)
	var words []string
	for _, entry := range entries() {
		words = append(words, entry.file, entry.variable, entry.binding)
		if !strings.Contains(text, "`."+entry.field+"`") {
			t.Errorf("the specification does not mention .%s", entry.field)
		}
	}
	for name := range vocabulary() {
		words = append(words, name)
	}
	for _, word := range words {
		if !strings.Contains(text, "`"+word+"`") {
			t.Errorf("the specification does not mention %s", word)
		}
	}
}

func specification(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "spec", "secret-shapes.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
