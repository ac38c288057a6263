package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// table is what was measured.
type table struct {
	Keys   int   `json:"keys"`
	Roles  int   `json:"roles"`
	Factor int   `json:"factor"`
	Rows   []row `json:"rows,omitempty"`
	// Sizes are fleets of different sizes beside one another.
	Sizes []size `json:"sizes,omitempty"`
	// Slopes are how what they cost grows from one to the next.
	Slopes []slope `json:"slopes,omitempty"`

	// Peer is the operator beside a Terraform-compatible program.
	Peer []comparison `json:"peer,omitempty"`

	// Stage is where the rows to come are measured.
	Stage string `json:"-"`
}

// row is one figure.
type row struct {
	// Stage is where it was measured.
	Stage string `json:"stage"`
	// Goal names it as ../shared/goals.md does, where it is one of those.
	Goal string `json:"goal,omitempty"`
	What string `json:"what"`
	Unit string `json:"unit"`
	// Bound is what the figure should not be above; -1 where there is no such.
	Bound    float64 `json:"bound"`
	Measured float64 `json:"measured"`
}

// add notes a figure that should not be above the bound. Nothing measured is no figure.
func (t *table) add(goal, what string, measured, bound float64, unit string) {
	if math.IsNaN(measured) || math.IsInf(measured, 0) {
		say("  %s: nothing was measured", what)
		return
	}
	t.Rows = append(t.Rows, row{t.Stage, goal, what, unit, bound, measured})
	say("  %s: %s %s", what, number(measured), unit)
}

// tell notes a figure without a goal.
func (t *table) tell(what string, measured float64, unit string) { t.add("", what, measured, -1, unit) }

// String is the table for people, with a part for each stage.
func (t *table) String() string {
	var out strings.Builder
	stage := ""
	for _, r := range t.Rows {
		if r.Stage != stage {
			stage = r.Stage
			fmt.Fprintf(&out, "\n%s\n\n| goal | what | at most | measured | ratio |\n|---|---|---:|---:|---:|\n", stage)
		}
		fmt.Fprintln(&out, r)
	}
	if len(t.Sizes) > 0 {
		out.WriteString(bySize(t.Sizes, t.Slopes))
	}
	if len(t.Peer) > 0 {
		out.WriteString(t.sides())
	}
	return out.String()
}

// String is one line of the table; a ratio above 1 misses the goal.
func (r row) String() string {
	bound, ratio := "", ""
	if r.Bound >= 0 {
		bound = strings.TrimSpace(number(r.Bound) + " " + r.Unit)
		ratio = "0"
		if r.Measured > 0 {
			ratio = fmt.Sprintf("%.2f", r.Measured/max(r.Bound, 1e-9))
		}
		if r.Bound == 0 && r.Measured > 0 {
			ratio = "missed"
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", r.Goal, r.What, bound, strings.TrimSpace(number(r.Measured)+" "+r.Unit), ratio)
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
