package plugin

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// widest is how much of one value a table shows.
const widest = 80

// plain is text that does nothing to a terminal: what is in an event, a status or an error
// may be whatever somebody sent to Okta. Control characters, those that change the
// direction of text, and what is no UTF-8 become a visible mark.
func plain(text string) string { return clean(text, false) }

// lines is plain for text that may have several lines.
func lines(text string) string { return clean(text, true) }

func clean(text string, multiline bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case multiline && r == '\n', unicode.IsPrint(r) && r != utf8.RuneError:
			return r
		case unicode.IsSpace(r):
			return ' '
		default:
			return utf8.RuneError
		}
	}, text)
}

// escaped is JSON in which the same characters are written as JSON's own escapes: they
// can stand in strings only, so it says the same.
func escaped(json []byte) []byte {
	var out strings.Builder
	for _, r := range string(json) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return []byte(out.String())
}

// table aligns rows. Its columns only grow, so that what is printed later still looks
// like one table.
type table struct {
	header []string
	widths []int
	begun  bool
}

func newTable(header ...string) *table {
	return &table{header: header, widths: make([]int, len(header))}
}

// format gives the rows, below the header the first time.
func (t *table) format(rows [][]string) string {
	if !t.begun {
		rows = append([][]string{t.header}, rows...)
		t.begun = true
	}
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = make([]string, len(row))
		for j, value := range row {
			cells[i][j] = cell(value)
			t.widths[j] = max(t.widths[j], utf8.RuneCountInString(cells[i][j]))
		}
	}
	var out strings.Builder
	for _, row := range cells {
		var line strings.Builder
		for j, value := range row {
			line.WriteString(value)
			line.WriteString(strings.Repeat(" ", t.widths[j]-utf8.RuneCountInString(value)+3))
		}
		out.WriteString(strings.TrimRight(line.String(), " "))
		out.WriteByte('\n')
	}
	return out.String()
}

// cell is a value as a table shows it.
func cell(value string) string {
	value = plain(value)
	if value == "" {
		return "-"
	}
	if runes := []rune(value); len(runes) > widest {
		return string(runes[:widest-1]) + "…"
	}
	return value
}

// when is a time for people and programs alike.
func when(t *metav1.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// ago and until are times from now, as kubectl says them.
func ago(t *metav1.Time, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(now.Sub(t.Time))
}

func until(t *metav1.Time, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	if left := t.Sub(now); left > 0 {
		return "in " + duration.HumanDuration(left)
	}
	return ago(t, now) + " ago"
}
