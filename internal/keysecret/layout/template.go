package layout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// rootName is what Go calls every template here; our errors say the key instead. It
// reads well where the parser says "unclosed action started at line:3".
const rootName = "line"

// keyCharacters are those that Kubernetes takes in a key of a Secret.
const keyCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

// fillTemplates goes by the order of the keys, so that of many mistakes the same one
// is told every time.
func fillTemplates(templates map[string]string, opened opened) (map[string][]byte, error) {
	if len(templates) > MaxTemplates {
		return nil, fmt.Errorf("it has more than %d templates", MaxTemplates)
	}
	known := functions(&meter{left: maxWork})
	data := map[string][]byte{}
	// A mistake that depends on values must not hide one that does not from Check.
	var later *fault
	for _, key := range slices.Sorted(maps.Keys(templates)) {
		written, mistake := fillTemplate(key, templates[key], opened, known)
		switch {
		case mistake == nil:
			data[key] = written
		case !mistake.byValue:
			return nil, mistake
		case later == nil:
			later = mistake
		}
	}
	if later != nil {
		return nil, later
	}
	return data, nil
}

func fillTemplate(key, source string, opened opened, known template.FuncMap) ([]byte, *fault) {
	tree, mistake := parseTemplate(key, source, opened.delivery)
	if mistake != nil {
		return nil, mistake
	}
	parsed, err := template.New(rootName).Option("missingkey=error").Funcs(known).AddParseTree(rootName, tree)
	if err != nil {
		return nil, unparsable(key, err)
	}
	// Fresh for each template: none may see what another did.
	fields := map[string]any{scopes: append([]string{}, opened.scopes...)}
	for name, value := range opened.values {
		if name != scopes {
			fields[name] = value
		}
	}
	written := &page{}
	if err := parsed.Execute(written, fields); err != nil {
		return nil, failed(key, err)
	}
	return append([]byte{}, written.Bytes()...), nil
}

// parseTemplate is done with the parser itself: a template would let in all of Go's
// functions.
func parseTemplate(key, source string, delivery Delivery) (*parse.Tree, *fault) {
	if !validKey(key) {
		return nil, &fault{key: key, problem: "a key of a Secret is 1 to 253 letters, digits, -, _ and ., and does not begin with .."}
	}
	if utf8.RuneCountInString(source) > MaxTemplateRunes {
		return nil, &fault{key: key, problem: fmt.Sprintf("the template has more than %d characters", MaxTemplateRunes)}
	}
	set := map[string]*parse.Tree{}
	tree, err := parse.New(rootName).Parse(source, "", "", set, vocabulary())
	if err != nil {
		return nil, unparsable(key, err)
	}
	if len(set) != 1 || set[rootName] != tree {
		return nil, &fault{key: key, problem: "define and block are not allowed; write the text where it belongs"}
	}
	preparation := preparation{source: source, delivery: delivery}
	preparation.list(tree.Root, true)
	if preparation.mistake != nil {
		preparation.mistake.key = key
		return nil, preparation.mistake
	}
	return tree, nil
}

// validKey is Kubernetes' rule for the keys of a Secret.
func validKey(key string) bool {
	return key != "" && len(key) <= 253 && strings.Trim(key, keyCharacters) == "" && key != "." && !strings.HasPrefix(key, "..")
}
