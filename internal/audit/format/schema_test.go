package format_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// facts is what the published schema says of what we write: names, types, what is required
// and which numbers there are. It is made of the schema itself, and held against it, by
//
//	OCSF_SCHEMA=<the files of github.com/ocsf/ocsf-schema at the tag> UPDATE_GOLDEN=1 go test ./internal/audit/format
const facts = "testdata/ocsf-facts.json"

// schema judges what we write.
type schema struct {
	Version string
	Classes map[int]*item
	Objects map[string]*item
	// Types are the primitive ones, by what they are basically.
	Types map[string]string

	// regexes are those of types; none where the schema itself is not there.
	regexes map[string]string
	// used is what was met in documents; nil where nobody asks.
	used *schema
}

// item is a class or an object, with all that it inherits.
type item struct {
	Name        string
	Attributes  map[string]attribute
	Constraints map[string][]string `json:",omitempty"`
}

type attribute struct {
	Type     string
	List     bool `json:",omitempty"`
	Required bool `json:",omitempty"`
	// Values are the numbers it may have; any where there is none.
	Values []string `json:",omitempty"`
}

// judging gives the schema: that which is published where it is there, else the facts.
func judging(t *testing.T) *schema {
	t.Helper()
	if dir := os.Getenv("OCSF_SCHEMA"); dir != "" {
		return published(t, dir)
	}
	return known(t)
}

// known are the facts.
func known(t *testing.T) *schema {
	t.Helper()
	raw, err := os.ReadFile(filepath.FromSlash(facts))
	if err != nil {
		t.Fatal(err)
	}
	s := &schema{}
	if err := json.Unmarshal(raw, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// mustBeKnown holds that the facts are what the published schema says of what was met.
func (s *schema) mustBeKnown(t *testing.T) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		raw, err := json.MarshalIndent(s.used, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.FromSlash(facts), append(raw, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, got := s.used, known(t)
	for _, each := range []struct {
		what      string
		want, got any
	}{{"classes", want.Classes, got.Classes}, {"objects", want.Objects, got.Objects}, {"types", want.Types, got.Types}} {
		if diff := cmp.Diff(each.want, each.got); diff != "" {
			t.Errorf("%s of %s (-published +known); UPDATE_GOLDEN=1 writes it anew:\n%s", each.what, facts, diff[:min(len(diff), 2000)])
		}
	}
}

// class and objectOf give what a document is to be, and note that it was met, as met does.
func (s *schema) class(uid int) (*item, bool) {
	c, known := s.Classes[uid]
	if known && s.used != nil {
		s.used.Classes[uid] = c
	}
	return c, known
}

func (s *schema) objectOf(name string) *item {
	o := s.Objects[name]
	if o != nil && s.used != nil {
		s.used.Objects[name] = o
	}
	return o
}

func (s *schema) met(kind string) {
	if s.used != nil {
		s.used.Types[kind] = s.Types[kind]
	}
}

// judge is all that is wrong with a document.
func (s *schema) judge(raw []byte) []string {
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return []string{err.Error()}
	}
	uid, _ := doc["class_uid"].(float64)
	class, known := s.class(int(uid))
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
		if a.Required && doc[name] == nil {
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
		if !known {
			wrong = append(wrong, path+"."+name+" is not in the schema")
			continue
		}
		wrong = append(wrong, s.value(path+"."+name, a, value)...)
	}
	return wrong
}

func (s *schema) value(path string, a attribute, value any) []string {
	if !a.List {
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
	basic, primitive := s.Types[a.Type]
	if !primitive {
		doc, is := value.(map[string]any)
		switch it := s.objectOf(a.Type); {
		case !is || it == nil:
			return []string{fmt.Sprintf("%s is no %s", path, a.Type)}
		case a.Type == "object":
			return nil
		default:
			return s.object(path, it, doc)
		}
	}
	s.met(a.Type)
	number, isNumber := value.(float64)
	text, isText := value.(string)
	switch {
	case basic == "string_t" && !isText, (basic == "integer_t" || basic == "long_t") && (!isNumber || number != math.Trunc(number)),
		basic == "boolean_t" && value != true && value != false:
		return []string{fmt.Sprintf("%s is no %s: %v", path, a.Type, value)}
	case s.regexes[a.Type] != "" && !regexp.MustCompile(s.regexes[a.Type]).MatchString(text):
		return []string{fmt.Sprintf("%s is no %s: %v", path, a.Type, value)}
	case len(a.Values) > 0 && isNumber && !slices.Contains(a.Values, fmt.Sprint(number)):
		return []string{fmt.Sprintf("%s is not one of its values: %v", path, value)}
	}
	return nil
}
