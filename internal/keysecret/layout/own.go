package layout

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
)

// ours are functions in place of those of sprig and Go that could grow without bound
// or hide a failure. What they are given, all together, has MaxKeyBytes at most.
func ours() map[string]any {
	return map[string]any{
		"b64dec": decode, "indent": indent, "nindent": indentBelow, "join": join, "replace": replace,
		"printf": printf, "urlquery": url.QueryEscape, "eq": equal, "ne": unequal,
	}
}

// text is a value as it is written. Lists and dicts have no one way of being written,
// and Go's own is read by no program.
func text(value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case bool:
		return strconv.FormatBool(value), nil
	case int:
		return strconv.Itoa(value), nil
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64), nil
	case nil:
		return "", &fault{problem: "there is no value, such as the first of an empty list; use default", byValue: true}
	}
	return "", &fault{problem: "a list or a dict cannot be written as it is; use join or toJson"}
}

// show ends every action that writes.
func show(value any) (string, error) { return text(value) }

// decode does not quote what is no base64, unlike sprig's, which returns the error in
// place of the value.
func decode(encoded string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", &fault{problem: "b64dec was given text that is not base64", byValue: true}
	}
	return string(decoded), nil
}

func indent(spaces int, lines string) (string, error) {
	if spaces < 0 || spaces > MaxKeyBytes {
		return "", &fault{problem: "indent and nindent take a number of spaces"}
	}
	if err := within(len(lines) + spaces*(1+strings.Count(lines, "\n"))); err != nil {
		return "", err
	}
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(lines, "\n", "\n"+pad), nil
}

func indentBelow(spaces int, lines string) (string, error) {
	indented, err := indent(spaces, lines)
	return "\n" + indented, err
}

func replace(old, replacement, in string) (string, error) {
	if err := within(len(in) + strings.Count(in, old)*(len(replacement)-len(old))); err != nil {
		return "", err
	}
	return strings.ReplaceAll(in, old, replacement), nil
}

func join(separator string, elements any) (string, error) {
	words, ok := elements.([]string)
	if !ok {
		list, ok := elements.([]any)
		if !ok {
			return "", &fault{problem: "join takes a separator and a list"}
		}
		for _, element := range list {
			word, err := text(element)
			if err != nil {
				return "", err
			}
			words = append(words, word)
		}
	}
	// The words themselves fit; only the separators multiply.
	if err := within(len(words) * len(separator)); err != nil {
		return "", err
	}
	return strings.Join(words, separator), nil
}

// printf knows %s, %v, %d, %q and %%, and no widths: Go's would fill a gigabyte.
func printf(format string, arguments ...any) (string, error) {
	var written strings.Builder
	for {
		before, after, found := strings.Cut(format, "%")
		written.WriteString(before)
		if !found {
			break
		}
		if strings.HasPrefix(after, "%") {
			written.WriteString("%")
			format = after[1:]
			continue
		}
		if after == "" || len(arguments) == 0 {
			return "", &fault{problem: "printf has more verbs than arguments"}
		}
		word, err := verb(after[0], arguments[0])
		if err != nil {
			return "", err
		}
		written.WriteString(word)
		format, arguments = after[1:], arguments[1:]
	}
	if len(arguments) > 0 {
		return "", &fault{problem: "printf has more arguments than verbs"}
	}
	return written.String(), nil
}

func verb(verb byte, argument any) (string, error) {
	word, err := text(argument)
	if err != nil {
		return "", err
	}
	_, number := argument.(int)
	switch {
	case verb == 's', verb == 'v', verb == 'd' && number:
		return word, nil
	case verb == 'd':
		return "", &fault{problem: "%d of printf takes a whole number"}
	case verb == 'q':
		return strconv.Quote(word), nil
	}
	return "", &fault{problem: "printf knows the verbs %s, %v, %d, %q and %%, without widths"}
}

// equal tells whether a value is one of the others. Go's own costs more the larger the
// values are, and is not paid for.
func equal(value any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, &fault{problem: "eq and ne compare two values or more"}
	}
	for _, other := range append([]any{value}, others...) {
		switch other.(type) {
		case nil, string, bool, int, float64:
		default:
			return false, &fault{problem: "eq and ne compare text, numbers and booleans only"}
		}
	}
	for _, other := range others {
		if value == other {
			return true, nil
		}
	}
	return false, nil
}

func unequal(value, other any) (bool, error) {
	same, err := equal(value, other)
	return !same, err
}
