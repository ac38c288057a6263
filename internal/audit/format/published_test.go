package format_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source is OCSF as it is published: https://github.com/ocsf/ocsf-schema, its files as they
// are. None of them is part of this project.
type source struct {
	dir   string
	words struct {
		Attributes map[string]said `json:"attributes"`
		Types      struct {
			Attributes map[string]struct {
				Type  string `json:"type"`
				Regex string `json:"regex"`
			} `json:"attributes"`
		} `json:"types"`
	}
}

// entry is a class or an object as it is published.
type entry struct {
	UID         int                 `json:"uid"`
	Name        string              `json:"name"`
	Category    string              `json:"category"`
	Extends     string              `json:"extends"`
	Attributes  map[string]said     `json:"attributes"`
	Constraints map[string][]string `json:"constraints"`
}

// said is what is said of an attribute in one place.
type said struct {
	Requirement string                     `json:"requirement"`
	Type        string                     `json:"type"`
	IsArray     bool                       `json:"is_array"`
	Enum        map[string]json.RawMessage `json:"enum"`
	Profile     string                     `json:"profile"`
}

// UnmarshalJSON passes over $include, the one attribute that is a list: it names profiles,
// of which we write none.
func (a *said) UnmarshalJSON(raw []byte) error {
	type plain said
	if raw[0] != '{' {
		return nil
	}
	return json.Unmarshal(raw, (*plain)(a))
}

// published reads the schema from the directory that OCSF_SCHEMA names.
func published(t *testing.T, dir string) *schema {
	t.Helper()
	from := source{dir: dir}
	s := &schema{Classes: map[int]*item{}, Objects: map[string]*item{}, Types: map[string]string{}, regexes: map[string]string{}}
	var version struct {
		Version string `json:"version"`
	}
	from.read(t, "version.json", &version)
	s.Version = version.Version
	from.read(t, "dictionary.json", &from.words)
	for name, kind := range from.words.Types.Attributes {
		s.Types[name] = kind.Type
		if kind.Type == "" {
			s.Types[name] = name
		}
		s.regexes[name] = kind.Regex
	}
	var categories struct {
		Attributes map[string]struct {
			UID int `json:"uid"`
		} `json:"attributes"`
	}
	from.read(t, "categories.json", &categories)
	classes := from.entries(t, "events/*.json", "events/*/*.json")
	for _, c := range classes {
		if c.UID != 0 || c.Name == "base_event" {
			inherit(c, classes)
			s.Classes[categories.Attributes[c.Category].UID*1000+c.UID] = from.item(c)
		}
	}
	objects := from.entries(t, "objects/*.json")
	for name, o := range objects {
		inherit(o, objects)
		s.Objects[name] = from.item(o)
	}
	return s
}

func (s *source) read(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func (s *source) entries(t *testing.T, patterns ...string) map[string]*entry {
	t.Helper()
	found := map[string]*entry{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, _ := filepath.Rel(s.dir, file)
			var read entry
			s.read(t, name, &read)
			found[strings.TrimSuffix(filepath.Base(file), ".json")] = &read
		}
	}
	return found
}

// item is what of an entry counts: profiles we write none of.
func (s *source) item(e *entry) *item {
	it := &item{Name: e.Name, Attributes: map[string]attribute{}, Constraints: e.Constraints}
	for name, own := range e.Attributes {
		if own.Profile != "" || name == "$include" {
			continue
		}
		all := refine(s.words.Attributes[name], own)
		it.Attributes[name] = attribute{
			Type: all.Type, List: all.IsArray, Required: own.Requirement == "required", Values: slices.Sorted(maps.Keys(all.Enum)),
		}
	}
	return it
}

// inherit gives an entry what it has of those it extends.
func inherit(it *entry, among map[string]*entry) {
	parent, known := among[it.Extends]
	if !known || it.Extends == "" {
		return
	}
	inherit(parent, among)
	it.Extends = ""
	if it.Category == "" {
		it.Category = parent.Category
	}
	if it.Constraints == nil {
		it.Constraints = parent.Constraints
	}
	merged := maps.Clone(parent.Attributes)
	for _, own := range []string{"class_uid", "category_uid"} { // those of the base event are its own; judge has others
		if a, has := merged[own]; has {
			a.Enum = nil
			merged[own] = a
		}
	}
	for name, own := range it.Attributes {
		merged[name] = refine(merged[name], own)
	}
	it.Attributes = merged
}

// refine is an attribute with what is said of it anew.
func refine(old, own said) said {
	if own.Requirement == "" {
		own.Requirement = old.Requirement
	}
	if own.Type == "" {
		own.Type, own.IsArray = old.Type, old.IsArray
	}
	both := maps.Clone(old.Enum)
	if both == nil {
		both = map[string]json.RawMessage{}
	}
	maps.Copy(both, own.Enum)
	own.Enum = both
	return own
}
