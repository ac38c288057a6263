package okta

import (
	"encoding/json"
	"fmt"
)

// document is a JSON object of which only what is asked for is read. What is not
// keeps the bytes it came with, so that an object can be written back with all that
// Okta has in it and we know nothing of.
type document map[string]json.RawMessage

// at gives the value at the path; nil when there is none, or null.
func (d document) at(path ...string) json.RawMessage {
	var value json.RawMessage
	for i, name := range path {
		if i > 0 {
			d = nil
			if value == nil || json.Unmarshal(value, &d) != nil {
				return nil
			}
		}
		if value = d[name]; string(value) == "null" {
			return nil
		}
	}
	return value
}

// set writes the value at the path, and makes the objects on the way.
func (d document) set(value any, path ...string) error {
	return d.change(func(parent document, name string) error {
		raw, err := json.Marshal(value)
		parent[name] = raw
		return err
	}, path...)
}

// remove takes out what is at the path.
func (d document) remove(path ...string) error {
	if d.at(path...) == nil {
		return nil
	}
	return d.change(func(parent document, name string) error {
		delete(parent, name)
		return nil
	}, path...)
}

func (d document) change(do func(parent document, name string) error, path ...string) error {
	if len(path) == 1 {
		return do(d, path[0])
	}
	inner := document{}
	if raw := d.at(path[0]); raw != nil {
		if err := json.Unmarshal(raw, &inner); err != nil {
			return fmt.Errorf("reading %s of an app: %w", path[0], err)
		}
	}
	if err := inner.change(do, path[1:]...); err != nil {
		return err
	}
	raw, err := json.Marshal(inner)
	d[path[0]] = raw
	return err
}
