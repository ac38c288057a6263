package cel

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// breach is one way to break the schema at one place.
type breach struct {
	name string
	// at is the child the complaint is about, such as [1] of a list.
	at    string
	apply func(value any) any
	want  string
}

// TestEveryBound breaks each bound, enum, pattern, format, set and required field of
// the schemas, one at a time, and expects a complaint about that very field.
func TestEveryBound(t *testing.T) {
	crds := schemas(t)
	for _, table := range append(tables(), statusTables()...) {
		root := "spec"
		if table.status {
			root = "status"
		}
		samples := table.samples(t)
		t.Run(table.kind+" "+root, func(t *testing.T) {
			for _, n := range nodes(crds[table.kind], root) {
				if n.within != "" {
					continue
				}
				for _, b := range n.breaches() {
					t.Run(strings.ReplaceAll(n.path, ".", "/")+"/"+b.name, func(t *testing.T) { b.run(t, table, n.path, samples) })
				}
			}
		})
	}
}

func (b breach) run(t *testing.T, table table, path string, samples []map[string]any) {
	t.Helper()
	segments := strings.Split(strings.NewReplacer("[]", ".[]", "{}", ".{}").Replace(path), ".")
	for _, sample := range samples {
		broken, field, ok := edit(sample, segments[1:], segments[0], b.apply)
		if !ok {
			continue
		}
		var err error
		if table.status {
			err = tryStatus(t, table.kind, "bounds", broken.(map[string]any))
		} else {
			err = tryCreate(t, object(table.kind, "bounds", broken.(map[string]any)))
		}
		for _, cause := range complaints(t, err) {
			if cause.Field == field+b.at && strings.Contains(cause.Message, b.want) {
				return
			}
		}
		t.Fatalf("want a complaint about %s with %q, got: %v", field+b.at, b.want, err)
	}
	t.Fatalf("no trial of %s has %s: add one", table.kind, path)
}

// samples are the objects of a table that are taken, and those that would be if
// every field were honoured.
func (t table) samples(test *testing.T) []map[string]any {
	var out []map[string]any
	for _, name := range slices.Sorted(maps.Keys(t.trials)) {
		trial := t.trials[name]
		if trial.wantMessage == "" {
			_, after := trial.specs(test, t.base)
			out = append(out, after)
		}
	}
	for _, change := range t.later {
		out = append(out, patched(test, parse(test, t.base), change))
	}
	return out
}

// edit returns a copy of value with the place at segments changed, and the name of
// that place as the API server writes it.
func edit(value any, segments []string, field string, change func(any) any) (any, string, bool) {
	if len(segments) == 0 {
		return change(value), field, true
	}
	switch value := value.(type) {
	case map[string]any:
		names := []string{segments[0]}
		if segments[0] == "{}" {
			names = slices.Sorted(maps.Keys(value))
		}
		for _, name := range names {
			inner, ok := value[name]
			if !ok {
				continue
			}
			if inner, at, ok := edit(inner, segments[1:], field+"."+name, change); ok {
				out := maps.Clone(value)
				out[name] = inner
				return out, at, true
			}
		}
	case []any:
		for i, inner := range value {
			if inner, at, ok := edit(inner, segments[1:], fmt.Sprintf("%s[%d]", field, i), change); ok {
				out := slices.Clone(value)
				out[i] = inner
				return out, at, true
			}
		}
	}
	return nil, "", false
}

func constant(value any) func(any) any { return func(any) any { return value } }

func (n node) breaches() []breach {
	return slices.Concat(n.textBreaches(), n.numberBreaches(), n.listBreaches(), n.objectBreaches())
}

func (n node) textBreaches() []breach {
	var out []breach
	if len(n.Enum) > 0 {
		out = append(out, breach{"Enum", "", constant("Nonsense"), "Unsupported value"})
	}
	if n.Format == "date-time" {
		out = append(out, breach{"Format", "", constant("yesterday"), "must be of type date-time"})
	}
	if n.Pattern != "" {
		out = append(out, breach{"Pattern", "", constant("# # # # # #"), "should match"})
	}
	if n.MinLength != nil {
		short := strings.Repeat("a", int(*n.MinLength)-1)
		out = append(out, breach{"MinLength", "", constant(short), fmt.Sprintf("should be at least %d chars", *n.MinLength)})
	}
	if n.MaxLength != nil {
		long := strings.Repeat("a", int(*n.MaxLength)+1)
		out = append(out, breach{"MaxLength", "", constant(long), fmt.Sprintf("may not be more than %d", *n.MaxLength)})
	}
	return out
}

func (n node) numberBreaches() []breach {
	var out []breach
	if n.Minimum != nil {
		out = append(out, breach{"Minimum", "", constant(int64(*n.Minimum) - 1), fmt.Sprintf("should be greater than or equal to %v", int64(*n.Minimum))})
	}
	if n.Maximum != nil {
		out = append(out, breach{"Maximum", "", constant(int64(*n.Maximum) + 1), fmt.Sprintf("should be less than or equal to %v", int64(*n.Maximum))})
	}
	return out
}

func (n node) listBreaches() []breach {
	var out []breach
	if n.MinItems != nil {
		out = append(out, breach{"MinItems", "", constant([]any{}), fmt.Sprintf("should have at least %d items", *n.MinItems)})
	}
	if n.MaxItems != nil {
		many := func(list any) any { return slices.Repeat(list.([]any)[:1], int(*n.MaxItems)+1) }
		out = append(out, breach{"MaxItems", "", many, fmt.Sprintf("must have at most %d items", *n.MaxItems)})
	}
	if n.XListType != nil && *n.XListType != "atomic" {
		twice := func(list any) any { return slices.Repeat(list.([]any)[:1], 2) }
		out = append(out, breach{"Duplicate", "[1]", twice, "Duplicate value"})
	}
	return out
}

func (n node) objectBreaches() []breach {
	var out []breach
	if n.MinProperties != nil {
		out = append(out, breach{"MinProperties", "", constant(map[string]any{}), fmt.Sprintf("should have at least %d properties", *n.MinProperties)})
	}
	if n.MaxProperties != nil {
		many := map[string]any{}
		for i := range *n.MaxProperties + 1 {
			many[fmt.Sprintf("k%d", i)] = "x"
		}
		out = append(out, breach{"MaxProperties", "", constant(many), fmt.Sprintf("must have at most %d items", *n.MaxProperties)})
	}
	for _, name := range n.Required {
		if n.Properties[name].Default != nil {
			continue
		}
		without := func(value any) any {
			out := maps.Clone(value.(map[string]any))
			delete(out, name)
			return out
		}
		out = append(out, breach{"Required " + name, "." + name, without, "Required value"})
	}
	return out
}
