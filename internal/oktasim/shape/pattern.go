package shape

import "regexp"

// Pattern is a string that matches a regular expression as a whole; Want says in
// words what it must be.
type Pattern struct{ Expression, Want string }

func (p Pattern) check(path string, value any) []Problem {
	text, ok := value.(string)
	if !ok {
		return malformed(path, "a string")
	}
	if !regexp.MustCompile(`^(?:` + p.Expression + `)$`).MatchString(text) {
		return invalid(path, "must be %s", p.Want)
	}
	return nil
}
