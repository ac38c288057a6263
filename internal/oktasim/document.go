package oktasim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// document is a JSON object. Objects are kept as documents, for the API gives back
// what it was given, and most of it has no meaning to the org.
type document map[string]any

// at walks down; it gives nil where the path ends early.
func (d document) at(path ...string) any {
	var value any = map[string]any(d)
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

func (d document) text(path ...string) string {
	text, _ := d.at(path...).(string)
	return text
}

func (d document) flag(path ...string) bool {
	flag, _ := d.at(path...).(bool)
	return flag
}

func (d document) number(path ...string) (int, bool) {
	number, ok := d.at(path...).(float64)
	return int(number), ok
}

func (d document) object(path ...string) document {
	object, _ := d.at(path...).(map[string]any)
	return object
}

func (d document) texts(path ...string) []string {
	list, _ := d.at(path...).([]any)
	texts := make([]string, 0, len(list))
	for _, element := range list {
		text, _ := element.(string)
		texts = append(texts, text)
	}
	return texts
}

// over lays the fields of d, without nulls, over defaults, object by object.
func (d document) over(defaults document) document {
	merged := maps.Clone(defaults)
	if merged == nil {
		merged = document{}
	}
	for name, value := range d {
		if value == nil {
			continue
		}
		object, isObject := value.(map[string]any)
		inner, hasDefaults := merged[name].(map[string]any)
		if isObject && hasDefaults {
			value = map[string]any(document(object).over(inner))
		}
		merged[name] = value
	}
	return merged
}

// only keeps the named fields that are there and not null.
func (d document) only(names ...string) document {
	kept := document{}
	for _, name := range names {
		if d[name] != nil {
			kept[name] = d[name]
		}
	}
	return kept
}

func list(texts []string) []any {
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	return values
}

// parse reads a request body and holds it against a shape. subject names the
// object in Okta's words.
func parse(c *call, s shape.Shape, subject string) (document, error) {
	if kind, _, _ := mime.ParseMediaType(c.request.Header.Get("Content-Type")); kind != "application/json" {
		return nil, &refusal{
			status: 400, code: "E0000021",
			summary: "Bad request.  Accept and/or Content-Type headers likely do not match supported values.",
		}
	}
	body, err := decodeObject(c.body)
	if err != nil {
		return nil, malformedBody()
	}
	if err := judge(shape.Check(s, map[string]any(body)), subject); err != nil {
		return nil, err
	}
	return body, nil
}

// judge turns problems into a refusal; a nil error means that there are none.
func judge(problems []shape.Problem, subject string) error {
	if len(problems) == 0 {
		return nil
	}
	bad := validation(subject)
	for _, problem := range problems {
		switch problem.Kind {
		case shape.Malformed:
			bad := malformedBody()
			bad.causes = []string{problem.Path + ": " + problem.Message}
			return bad
		case shape.Unknown:
			bad.unknown = append(bad.unknown, problem.Path)
		}
		bad.causes = append(bad.causes, problem.Path+": "+problem.Message)
	}
	return bad
}

func decodeObject(raw []byte) (document, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	var body map[string]any
	if err := decoder.Decode(&body); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading a body: there is more than one value")
	}
	if body == nil {
		return nil, errors.New("reading a body: it is null")
	}
	return body, nil
}
