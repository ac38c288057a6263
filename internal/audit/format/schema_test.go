package format_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// schema is OCSF as it is published: https://github.com/ocsf/ocsf-schema, its files as they
// are, in the directory that OCSF_SCHEMA names. It judges what we write; none of it is
// part of this project.
type schema struct {
	dir     string
	version string
	words   struct {
		Attributes map[string]attribute `json:"attributes"`
		Types      struct {
			Attributes map[string]struct {
				Type  string `json:"type"`
				Regex string `json:"regex"`
			} `json:"attributes"`
		} `json:"types"`
	}
	classes map[int]*item
	objects map[string]*item
}

// item is a class or an object.
type item struct {
	UID         int                  `json:"uid"`
	Name        string               `json:"name"`
	Category    string               `json:"category"`
	Extends     string               `json:"extends"`
	Attributes  map[string]attribute `json:"attributes"`
	Constraints map[string][]string  `json:"constraints"`
}

type attribute struct {
	Requirement string                     `json:"requirement"`
	Type        string                     `json:"type"`
	IsArray     bool                       `json:"is_array"`
	Enum        map[string]json.RawMessage `json:"enum"`
	Profile     string                     `json:"profile"`
}

// UnmarshalJSON passes over $include, the one attribute that is a list: it names profiles,
// of which we write none.
func (a *attribute) UnmarshalJSON(raw []byte) error {
	type plain attribute
	if raw[0] != '{' {
		return nil
	}
	return json.Unmarshal(raw, (*plain)(a))
}

func published(t *testing.T) *schema {
	t.Helper()
	dir := os.Getenv("OCSF_SCHEMA")
	if dir == "" {
		t.Skip("OCSF_SCHEMA is unset: a directory with the files of github.com/ocsf/ocsf-schema, as it was tagged for the version we write")
	}
	s := &schema{dir: dir, classes: map[int]*item{}, objects: map[string]*item{}}
	var version struct {
		Version string `json:"version"`
	}
	s.read(t, "version.json", &version)
	s.version = version.Version
	s.read(t, "dictionary.json", &s.words)
	var categories struct {
		Attributes map[string]struct {
			UID int `json:"uid"`
		} `json:"attributes"`
	}
	s.read(t, "categories.json", &categories)
	classes := s.items(t, "events/*.json", "events/*/*.json")
	for _, c := range classes {
		if c.UID != 0 || c.Name == "base_event" {
			inherit(c, classes)
			s.classes[categories.Attributes[c.Category].UID*1000+c.UID] = c
		}
	}
	s.objects = s.items(t, "objects/*.json")
	for _, o := range s.objects {
		inherit(o, s.objects)
	}
	return s
}

func (s *schema) read(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func (s *schema) items(t *testing.T, patterns ...string) map[string]*item {
	t.Helper()
	found := map[string]*item{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, _ := filepath.Rel(s.dir, file)
			var read item
			s.read(t, name, &read)
			found[strings.TrimSuffix(filepath.Base(file), ".json")] = &read
		}
	}
	return found
}

// inherit gives an item what it has of those it extends.
func inherit(it *item, among map[string]*item) {
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
func refine(old, own attribute) attribute {
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

// judge is all that is wrong with a document.
func (s *schema) judge(raw []byte) []string {
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return []string{err.Error()}
	}
	uid, _ := doc["class_uid"].(float64)
	class, known := s.classes[int(uid)]
	if !known {
		return []string{fmt.Sprintf("there is no class %v", doc["class_uid"])}
	}
	wrong := s.object(class.Name, class, doc)
	activity, _ := doc["activity_id"].(float64)
	if doc["type_uid"] != uid*100+activity {
		wrong = append(wrong, fmt.Sprintf("type_uid %v is not of class %v, activity %v", doc["type_uid"], uid, activity))
	}
	if doc["category_uid"] != math.Floor(uid/1000) {
		wrong = append(wrong, fmt.Sprintf("category_uid %v is not of class %v", doc["category_uid"], uid))
	}
	if activity == 99 && doc["activity_name"] == nil {
		wrong = append(wrong, "an activity that the class does not know has no name")
	}
	return wrong
}

func (s *schema) object(path string, it *item, doc map[string]any) []string {
	var wrong []string
	for name, a := range it.Attributes {
		if a.Requirement == "required" && a.Profile == "" && doc[name] == nil {
			wrong = append(wrong, path+"."+name+" is required")
		}
	}
	for constraint, names := range it.Constraints {
		present := len(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return doc[name] == nil }))
		if constraint == "just_one" && present != 1 || constraint == "at_least_one" && present == 0 {
			wrong = append(wrong, fmt.Sprintf("%s has %d of %s %v", path, present, constraint, names))
		}
	}
	for name, value := range doc {
		a, known := it.Attributes[name]
		if !known || a.Profile != "" {
			wrong = append(wrong, path+"."+name+" is not in the schema")
			continue
		}
		wrong = append(wrong, s.value(path+"."+name, refine(s.words.Attributes[name], a), value)...)
	}
	return wrong
}

func (s *schema) value(path string, a attribute, value any) []string {
	if !a.IsArray {
		return s.single(path, a, value)
	}
	list, is := value.([]any)
	if !is {
		return []string{path + " is no list"}
	}
	var wrong []string
	for i, element := range list {
		wrong = append(wrong, s.single(fmt.Sprintf("%s[%d]", path, i), a, element)...)
	}
	return wrong
}

func (s *schema) single(path string, a attribute, value any) []string {
	kind, primitive := s.words.Types.Attributes[a.Type]
	if !primitive {
		doc, is := value.(map[string]any)
		switch it := s.objects[a.Type]; {
		case !is || it == nil:
			return []string{fmt.Sprintf("%s is no %s", path, a.Type)}
		case a.Type == "object":
			return nil
		default:
			return s.object(path, it, doc)
		}
	}
	basic := kind.Type
	if basic == "" {
		basic = a.Type
	}
	number, isNumber := value.(float64)
	text, isText := value.(string)
	switch {
	case basic == "string_t" && !isText, (basic == "integer_t" || basic == "long_t") && (!isNumber || number != math.Trunc(number)),
		basic == "boolean_t" && value != true && value != false:
		return []string{fmt.Sprintf("%s is no %s: %v", path, a.Type, value)}
	case kind.Regex != "" && !regexp.MustCompile(kind.Regex).MatchString(text):
		return []string{fmt.Sprintf("%s is no %s: %v", path, a.Type, value)}
	case len(a.Enum) > 0 && isNumber && a.Enum[fmt.Sprint(number)] == nil:
		return []string{fmt.Sprintf("%s is not one of its values: %v", path, value)}
	}
	return nil
}
