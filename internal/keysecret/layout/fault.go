package layout

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// fault is a mistake in a shape: where it is and what it is, in words of ours. Go's
// own errors of execution are never passed on or wrapped, for they quote values:
// "range can't iterate over" is followed by the secret.
type fault struct {
	key string
	// line and column count from 1, the latter in bytes, as Go's compiler does; 0 is
	// unknown.
	line, column int
	problem      string
	// byValue tells that other values would not have led to it.
	byValue bool
}

// Error implements error.
func (f *fault) Error() string {
	var where strings.Builder
	if f.key != "" {
		fmt.Fprintf(&where, "key %q: ", f.key)
	}
	if f.line > 0 {
		fmt.Fprintf(&where, "line %d", f.line)
		if f.column > 0 {
			fmt.Fprintf(&where, ", column %d", f.column)
		}
		where.WriteString(": ")
	}
	return where.String() + f.problem
}

// maxProblem bounds words that come from the template itself, such as a variable's name.
const maxProblem = 200

// unparsable tells what Go's parser says, which quotes the template and nothing else.
func unparsable(key string, err error) *fault {
	mistake := &fault{key: key, problem: err.Error()}
	if rest, ok := strings.CutPrefix(mistake.problem, "template: "+rootName+":"); ok {
		_, problem, found := strings.Cut(rest, ": ")
		if _, err := fmt.Sscanf(rest, "%d:", &mistake.line); err == nil && found {
			mistake.problem = problem
		}
	}
	if len(mistake.problem) > maxProblem {
		mistake.problem = strings.ToValidUTF8(mistake.problem[:maxProblem], "") + "…"
	}
	return mistake
}

// failed tells why an execution ended.
func failed(key string, err error) *fault {
	mistake := &fault{problem: inWords(err)}
	var known *fault
	if errors.As(err, &known) {
		copied := *known
		mistake = &copied
	}
	mistake.key = key
	var execution template.ExecError
	if errors.As(err, &execution) {
		// Go counts columns from 0.
		if _, err := fmt.Sscanf(execution.Error(), "template: "+rootName+":%d:%d:", &mistake.line, &mistake.column); err == nil {
			mistake.column++
		}
	}
	return mistake
}

// inWords says in words of ours what Go says with values in it. A value may contain
// any of these phrases; then the words are wrong, and still tell nothing.
func inWords(err error) string {
	said := err.Error()
	for _, known := range []struct{ phrase, words string }{
		{"wrong number of args for", "a function has too many or too few arguments"},
		{"error calling", "a function cannot work with what it is given"},
		{"range can't iterate", "range needs a list"},
		{"can't evaluate field", "a field is asked of a value that has no fields"},
		{"map has no entry for key", "a field is asked of a dict that does not have it"},
		{"wrong type for value", "an argument is of the wrong kind, such as a list in place of text"},
		{"expected ", "an argument is of the wrong kind, such as a number in place of text"},
	} {
		if strings.Contains(said, known.phrase) {
			return known.words
		}
	}
	return "it cannot be evaluated"
}
