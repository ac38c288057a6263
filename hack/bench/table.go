package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// table is what was measured.
type table struct {
	Keys   int   `json:"keys"`
	Roles  int   `json:"roles"`
	Factor int   `json:"factor"`
	Rows   []row `json:"rows"`
}

// row is one figure.
type row struct {
	// Goal names it as ../shared/goals.md does, where it is one of those.
	Goal string `json:"goal,omitempty"`
	What string `json:"what"`
	Unit string `json:"unit"`
	// Bound is what the figure should not be above; -1 where there is no such.
	Bound    float64 `json:"bound"`
	Measured float64 `json:"measured"`
}

// add notes a figure that should not be above the bound.
func (t *table) add(goal, what string, measured, bound float64, unit string) {
	t.Rows = append(t.Rows, row{goal, what, unit, bound, measured})
	say("  %s: %s %s", what, number(measured), unit)
}

// tell notes a figure without a goal.
func (t *table) tell(what string, measured float64, unit string) { t.add("", what, measured, -1, unit) }

// String is the table for people; a ratio above 1 misses the goal.
func (t *table) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%d keys over %d roles, Okta's limits times %d\n\n", t.Keys, t.Roles, t.Factor)
	fmt.Fprintf(&out, "| goal | what | at most | measured | ratio |\n|---|---|---:|---:|---:|\n")
	for _, r := range t.Rows {
		bound, ratio := "", ""
		if r.Bound >= 0 {
			bound = number(r.Bound) + " " + r.Unit
			ratio = "0"
			if r.Measured > 0 {
				ratio = fmt.Sprintf("%.2f", r.Measured/max(r.Bound, 1e-9))
			}
			if r.Bound == 0 && r.Measured > 0 {
				ratio = "missed"
			}
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s %s | %s |\n", r.Goal, r.What, strings.TrimSpace(bound), number(r.Measured), r.Unit, ratio)
	}
	return out.String()
}

func number(n float64) string {
	if n == float64(int64(n)) || n > 1000 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.3g", n)
}

func (t *table) write(path string) error {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
