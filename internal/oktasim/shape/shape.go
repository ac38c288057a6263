// Package shape says which JSON an API accepts: the names, types and bounds of
// the fields of a request body, as a visible table. It refuses to know what the
// fields mean.
//
// Okta ignores most fields it does not know. Whoever uses this package refuses
// them, because a misspelt field that is silently ignored is the bug a simulated
// org exists to find.
package shape

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind tells problems apart.
type Kind int

const (
	// Unknown is a field that the table does not name.
	Unknown Kind = iota
	// Malformed is a field of another JSON type than the table says.
	Malformed
	// Invalid is a field of the right type whose value is out of bounds.
	Invalid
)

// Problem is one thing wrong with a body.
type Problem struct {
	Kind Kind
	// Path is the dotted name of the field.
	Path string
	// Message says what is wrong, for people.
	Message string
}

// Shape is what one JSON value must look like. A null is an absent field and
// passes everywhere, as it does at Okta.
type Shape interface {
	check(path string, value any) []Problem
}

// Check finds everything that is wrong with value, in a stable order.
func Check(s Shape, value any) []Problem {
	return s.check("", value)
}

func check(s Shape, path string, value any) []Problem {
	if value == nil {
		return nil
	}
	return s.check(path, value)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func malformed(path, want string) []Problem {
	return []Problem{{Kind: Malformed, Path: path, Message: "must be " + want}}
}

func invalid(path, format string, args ...any) []Problem {
	return []Problem{{Kind: Invalid, Path: path, Message: fmt.Sprintf(format, args...)}}
}

// Object names every field an object may have.
type Object map[string]Shape

func (o Object) check(path string, value any) []Problem {
	fields, ok := value.(map[string]any)
	if !ok {
		return malformed(path, "an object")
	}
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field, known := o[name]
		if !known {
			problems = append(problems, Problem{Kind: Unknown, Path: join(path, name), Message: "is unknown to this API"})
			continue
		}
		problems = append(problems, check(field, join(path, name), fields[name])...)
	}
	return problems
}

// Text is a string of Min to Max characters; Max 0 is no bound.
type Text struct{ Min, Max int }

func (t Text) check(path string, value any) []Problem {
	text, ok := value.(string)
	if !ok {
		return malformed(path, "a string")
	}
	length := utf8.RuneCountInString(text)
	if length < t.Min {
		return invalid(path, "must be at least %d characters long", t.Min)
	}
	if t.Max > 0 && length > t.Max {
		return invalid(path, "can't be more than %d characters long", t.Max)
	}
	return nil
}

// Enum is a string out of a few.
type Enum []string

func (e Enum) check(path string, value any) []Problem {
	text, ok := value.(string)
	if !ok {
		return malformed(path, "a string")
	}
	if !slices.Contains(e, text) {
		return invalid(path, "must be one of %s", strings.Join(e, ", "))
	}
	return nil
}

// Bool is true or false.
type Bool struct{}

func (Bool) check(path string, value any) []Problem {
	if _, ok := value.(bool); !ok {
		return malformed(path, "a boolean")
	}
	return nil
}

// Int is a whole number from Min to Max.
type Int struct{ Min, Max int }

func (i Int) check(path string, value any) []Problem {
	number, ok := value.(float64)
	if !ok || number != float64(int64(number)) {
		return malformed(path, "a whole number")
	}
	if number < float64(i.Min) || number > float64(i.Max) {
		return invalid(path, "must be from %d to %d", i.Min, i.Max)
	}
	return nil
}

// List is an array of one shape.
type List struct{ Of Shape }

func (l List) check(path string, value any) []Problem {
	elements, ok := value.([]any)
	if !ok {
		return malformed(path, "an array")
	}
	var problems []Problem
	for i, element := range elements {
		at := fmt.Sprintf("%s[%d]", path, i)
		if element == nil {
			problems = append(problems, malformed(at, "a value")...)
			continue
		}
		problems = append(problems, check(l.Of, at, element)...)
	}
	return problems
}

// Map is an object whose names are free and whose values are anything.
type Map struct{}

func (Map) check(path string, value any) []Problem {
	if _, ok := value.(map[string]any); !ok {
		return malformed(path, "an object")
	}
	return nil
}

// ReadOnly is a field that only the API writes. It may be sent, since people send
// back what they have read, and it is not looked at.
type ReadOnly struct{}

func (ReadOnly) check(string, any) []Problem { return nil }
