package cel

import (
	"strings"
	"testing"
)

// TestMetadata: what a server holds the metadata of every custom resource to, package manifest does
// too (tryCreate compares the two).
func TestMetadata(t *testing.T) {
	for name, test := range map[string]struct {
		reason   string
		metadata map[string]any
		field    string
	}{
		"fit":        {"A name of several parts, and a label.", map[string]any{"name": "a.b-1", "labels": map[string]any{"team": "chat"}}, ""},
		"capitals":   {"Names are parts of DNS names.", map[string]any{"name": "Chat"}, "metadata.name"},
		"underline":  {"As they are.", map[string]any{"name": "chat_bot"}, "metadata.name"},
		"unicode":    {"As they are.", map[string]any{"name": "ünïcode"}, "metadata.name"},
		"long":       {"There is an end to them.", map[string]any{"name": strings.Repeat("a", 254)}, "metadata.name"},
		"label":      {"A label's value has no blanks.", map[string]any{"name": "chat", "labels": map[string]any{"team": "a b"}}, "metadata.labels"},
		"annotation": {"An annotation's name has no blanks.", map[string]any{"name": "chat", "annotations": map[string]any{"a b": ""}}, "metadata.annotations"},
	} {
		t.Run(name, func(t *testing.T) {
			o := object("AIAgentRole", "", parse(t, "permissions: [{name: talk}]"))
			test.metadata["namespace"] = namespace
			o.Object["metadata"] = test.metadata
			err := tryCreate(t, o)
			if test.field == "" && err != nil || test.field != "" && (err == nil || !strings.Contains(err.Error(), test.field)) {
				t.Errorf("%s: it says %v, not of %q", test.reason, err, test.field)
			}
		})
	}
}
