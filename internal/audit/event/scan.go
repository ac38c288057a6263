package event

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// What follows walks JSON that json.Valid has taken. It looks only at what is asked
// for, without recursion: how deep the rest is nested costs nothing, and a value of
// another type than Okta says is passed over and spoils nothing else.

// members tells every member of an object, in the order in which they are written; of a
// name that is written twice the last counts, as everywhere. What is no object has none.
func members(raw []byte, tell func(name, value []byte)) {
	i := space(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return
	}
	for i = space(raw, i+1); raw[i] != '}'; i = next(raw, i) {
		end := skipString(raw, i)
		name := raw[i+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(unquote(raw[i:end]))
		}
		i = space(raw, space(raw, end)+1)
		end = skip(raw, i)
		tell(name, raw[i:end])
		i = end
	}
}

// elements tells every element of a list. What is no list has none.
func elements(raw []byte, tell func(value []byte)) {
	i := space(raw, 0)
	if i == len(raw) || raw[i] != '[' {
		return
	}
	for i = space(raw, i+1); raw[i] != ']'; {
		end := skip(raw, i)
		tell(raw[i:end])
		i = next(raw, end)
	}
}

// next goes past a comma, where there is one.
func next(raw []byte, i int) int {
	if i = space(raw, i); raw[i] == ',' {
		i = space(raw, i+1)
	}
	return i
}

func space(raw []byte, i int) int {
	for i < len(raw) && raw[i] <= ' ' {
		i++
	}
	return i
}

// skip is where the value ends that begins at i.
func skip(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
			continue
		default:
			i = skipWord(raw, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// skipWord is where a number, true, false or null ends.
func skipWord(raw []byte, i int) int {
	for i < len(raw) && raw[i] > ' ' && raw[i] != ',' && raw[i] != ']' && raw[i] != '}' {
		i++
	}
	return i
}

func skipString(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// text is a string, or a number or bool as it is written; null, lists and objects are "".
func text(value []byte) string {
	switch value[0] {
	case '"':
		return unquote(value)
	case 'n', '{', '[':
		return ""
	default:
		return string(value)
	}
}

func unquote(value []byte) string {
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
