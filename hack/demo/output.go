package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// printer writes the story: numbered steps, and what they show indented below.
type printer struct {
	to    io.Writer
	began time.Time
	steps int
}

// step begins the next step.
func (p *printer) step(format string, args ...any) {
	p.steps++
	p.line("\n%2d. %s", p.steps, fmt.Sprintf(format, args...))
}

// say explains.
func (p *printer) say(format string, args ...any) {
	p.show(fmt.Sprintf(format, args...))
}

// command shows what a person would type.
func (p *printer) command(words ...string) {
	p.show("$ " + strings.Join(words, " "))
}

// show indents a text of any number of lines.
func (p *printer) show(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.line("    %s", strings.TrimRight(line, "\n"))
	}
}

func (p *printer) line(format string, args ...any) {
	_, _ = fmt.Fprintf(p.to, format+"\n", args...)
}

func (p *printer) elapsed() time.Duration {
	return time.Since(p.began).Round(100 * time.Millisecond)
}

// public are the Secret's keys that are no secret.
var public = []string{"client_id", "key_id", "token_url", "issuer", "audience", "scopes"}

// masked lists the keys of a Secret; of what is secret it tells the length only.
func masked(data map[string][]byte) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(data)) {
		value := fmt.Sprintf("(%d bytes, not shown)", len(data[key]))
		if slices.Contains(public, key) {
			value = string(data[key])
		}
		fmt.Fprintf(&b, "%-16s %s\n", key, value)
	}
	return b.String()
}
