package okta

import (
	"strings"
	"testing"
)

func TestNextLink(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		headers []string
		want    string
	}{
		"two lines": {
			"Okta sends self and next as headers of their own",
			[]string{`<https://o.okta.com/api/v1/apps?limit=2>; rel="self"`, `<https://o.okta.com/api/v1/apps?after=a&limit=2>; rel="next"`},
			"/api/v1/apps?after=a&limit=2",
		},
		"joined": {
			"a proxy may join header lines",
			[]string{`<https://o.okta.com/x>; rel="self", <https://o.okta.com/x?after=b>; rel="next"`},
			"/x?after=b",
		},
		"comma in target": {
			"a comma within the target ends nothing",
			[]string{`<https://o.okta.com/x?after=1,2>; title="a, b"; rel="next"`},
			"/x?after=1,2",
		},
		"verbatim":     {"the query is opaque and is not written anew", []string{`<https://o.okta.com/x?b=1&a=%2Fz&a=2>; rel=next`}, "/x?b=1&a=%2Fz&a=2"},
		"several rels": {"rel is a list of words", []string{`</x?after=1>; rel="last next"`}, "/x?after=1"},
		"none":         {"the last page has no next", []string{`<https://o.okta.com/x>; rel="self"`}, ""},
		"malformed":    {"what made the SDK panic is passed over", []string{`<https://o.okta.com/%zz>; rel="next"`, `<://>; rel="next"`}, ""},
		"no bracket":   {"half a link is none", []string{`https://o.okta.com/x; rel="next"`, `<https://o`}, ""},
		"nextish":      {"a rel that only begins so is another", []string{`</x>; rel="nextish"; foo="next"`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, found := nextLink(test.headers)
			if got != test.want || found != (test.want != "") {
				t.Errorf("%s: got %q, %v, want %q", test.reason, got, found, test.want)
			}
		})
	}
}

func FuzzNextLink(f *testing.F) {
	for _, seed := range []string{
		`<https://o.okta.com/a?b>; rel="next"`, `<a>;rel=next,<b>;rel="self"`, `<`, `<>`, `<%zz>; rel="next"`, `<//x>;rel=next`, `",<`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		next, found := nextLink([]string{header})
		if found && !strings.HasPrefix(next, "/") {
			t.Errorf("the next page of %q is %q, which is no path", header, next)
		}
	})
}
