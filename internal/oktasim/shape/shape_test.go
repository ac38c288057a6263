package shape

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func table() Object {
	return Object{
		"name":   Text{Min: 1, Max: 3},
		"status": Enum{"ACTIVE", "INACTIVE"},
		"on":     Bool{},
		"age":    Int{Min: 1, Max: 9},
		"tags":   List{Of: Text{Max: 2}},
		"free":   Map{},
		"id":     ReadOnly{},
		"inner":  Object{"deep": Bool{}},
	}
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		reason string
		value  any
		want   []Problem
	}{
		"good": {
			reason: "every field fits",
			value: map[string]any{
				"name": "äöü", "status": "ACTIVE", "on": true, "age": 3.0, "tags": []any{"a"},
				"free": map[string]any{"x": 1.0}, "id": 7.0, "inner": map[string]any{"deep": nil},
			},
		},
		"unknown": {
			reason: "a field outside of the table is told with its path",
			value:  map[string]any{"nmae": "x", "inner": map[string]any{"depp": true}},
			want: []Problem{
				{Kind: Unknown, Path: "inner.depp", Message: "is unknown to this API"},
				{Kind: Unknown, Path: "nmae", Message: "is unknown to this API"},
			},
		},
		"malformed": {
			reason: "another JSON type is told apart from a bad value",
			value:  map[string]any{"name": 1.0, "status": 1.0, "on": "yes", "age": 1.5, "tags": "a", "free": 1.0},
			want: []Problem{
				{Kind: Malformed, Path: "age", Message: "must be a whole number"},
				{Kind: Malformed, Path: "free", Message: "must be an object"},
				{Kind: Malformed, Path: "name", Message: "must be a string"},
				{Kind: Malformed, Path: "on", Message: "must be a boolean"},
				{Kind: Malformed, Path: "status", Message: "must be a string"},
				{Kind: Malformed, Path: "tags", Message: "must be an array"},
			},
		},
		"invalid": {
			reason: "values out of bounds",
			value:  map[string]any{"name": "four", "status": "OFF", "age": 10.0, "tags": []any{"abc", nil}},
			want: []Problem{
				{Kind: Invalid, Path: "age", Message: "must be from 1 to 9"},
				{Kind: Invalid, Path: "name", Message: "can't be more than 3 characters long"},
				{Kind: Invalid, Path: "status", Message: "must be one of ACTIVE, INACTIVE"},
				{Kind: Invalid, Path: "tags[0]", Message: "can't be more than 2 characters long"},
				{Kind: Malformed, Path: "tags[1]", Message: "must be a value"},
			},
		},
		"too short": {
			reason: "an empty string is not an absent one",
			value:  map[string]any{"name": ""},
			want:   []Problem{{Kind: Invalid, Path: "name", Message: "must be at least 1 characters long"}},
		},
		"not an object": {
			reason: "the body itself has a type",
			value:  []any{},
			want:   []Problem{{Kind: Malformed, Message: "must be an object"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Check(table(), test.value)); diff != "" {
				t.Errorf("%s: problems differ (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
