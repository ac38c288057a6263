package fault

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

const (
	maxCauses = 3
	maxWords  = 300
)

// body is an error body of the management API or of OAuth; both shapes in one,
// because a gateway answers one API in the words of the other.
type body struct {
	Code    string `json:"errorCode"`
	Summary string `json:"errorSummary"`
	Causes  []struct {
		Summary string `json:"errorSummary"`
	} `json:"errorCauses"`
	OAuth       string `json:"error"`
	Description string `json:"error_description"`
}

// parseBody reads what it can; an error page of a proxy gives an empty body.
func parseBody(raw []byte) body {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		// Fields read before the fault are as good as none.
		return body{}
	}
	return b
}

// code is Okta's error code or OAuth's error name, if it looks like one.
func (b body) code() string {
	word := b.Code
	if word == "" {
		word = b.OAuth
	}
	if !isWord(word) {
		return ""
	}
	return word
}

func isWord(word string) bool {
	if word == "" || len(word) > 40 {
		return false
	}
	for _, r := range word {
		if r != '_' && (r > unicode.MaxASCII || (!unicode.IsLetter(r) && !unicode.IsDigit(r))) {
			return false
		}
	}
	return true
}

func (b body) texts() []string {
	texts := make([]string, 0, maxCauses+2)
	if len(b.Causes) == 0 {
		texts = append(texts, b.Summary, b.Description)
	}
	for i, cause := range b.Causes {
		if i == maxCauses {
			break
		}
		texts = append(texts, cause.Summary)
	}
	return texts
}

// exists guesses from Okta's words; see Status.Exists.
func (b body) exists() bool {
	text := strings.ToLower(strings.Join(append(b.texts(), b.Summary), " "))
	for _, phrase := range []string{"already exist", "must be unique", "already in use", "already taken", "already been taken", "not unique"} {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}

// words are what Okta says, made fit for a condition; nothing when the request
// carried a secret, for Okta may quote it.
func (b body) words(a Answer) string {
	if a.Purpose != Manage {
		return ""
	}
	var said []string
	for _, text := range b.texts() {
		if text = scrub(text, a.Known); text != "" {
			said = append(said, text)
		}
	}
	text := strings.Join(said, "; ")
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	if text == "" {
		return ""
	}
	return ": " + text
}

// scrub removes known secrets, ids and everything that looks like key material.
func scrub(text string, known []string) string {
	for _, secret := range known {
		if secret != "" && strings.Contains(text, secret) {
			return ""
		}
	}
	text = regexp.MustCompile(`[A-Za-z0-9+_=-]{40,}(\.[A-Za-z0-9+_=-]+)*`).ReplaceAllString(text, "[redacted]")
	text = regexp.MustCompile(`\b[0-9a-z]{3}[A-Za-z0-9]{17}\b`).ReplaceAllStringFunc(text, idOut)
	return strings.TrimSpace(plain(text))
}

// idOut takes out an id of Okta's, which is 20 characters with a digit among them.
func idOut(word string) string {
	if strings.ContainsAny(word, "0123456789") {
		return "[id]"
	}
	return word
}

// plain keeps what can stand on one line of a log or a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
}

// challengeError reads error="…" out of a WWW-Authenticate header (RFC 6750).
func challengeError(challenge string) string {
	_, rest, found := strings.Cut(challenge, `error="`)
	if !found {
		return ""
	}
	name, _, _ := strings.Cut(rest, `"`)
	return name
}
