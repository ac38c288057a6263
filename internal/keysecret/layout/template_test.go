package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func one(template string) Shape { return Shape{Template: map[string]string{"out": template}} }

func TestTemplates(t *testing.T) {
	for name, test := range map[string]struct {
		reason   string
		template string
		delivery Delivery
		want     string
	}{
		"text":        {"a template may be text", "plain", ClientSecret, "plain"},
		"all fields":  {"every field of a key", "{{.clientID}} {{.privateKey}}{{.keyID}} {{.jwk}} {{.tokenURL}} {{.issuer}} {{.audience}} {{join `,` .scopes}}", PrivateKeyJWT, "cid-7301 pem-7306\nsecond line\nkid-7307 {\"jwk\":\"7308\"} https://idp-7302/token https://idp-7302 aud-7303 scope-7304,scope-7305"},
		"token":       {"every field of a token", "{{.accessToken}} {{.expiresAt}}", AccessToken, "token-7310 2027-05-01T12:30:00Z"},
		"root":        {"$ is the credential wherever one is", "{{range .scopes}}{{$.clientID}}={{.}};{{end}}", ClientSecret, "cid-7301=scope-7304;cid-7301=scope-7305;"},
		"index":       {"a range counts", "{{range $i, $s := .scopes}}{{if $i}}, {{end}}{{$s}}{{end}}", ClientSecret, "scope-7304, scope-7305"},
		"break":       {"a range can end early", "{{range .scopes}}{{.}}{{break}}{{end}}", ClientSecret, "scope-7304"},
		"else":        {"an empty range has an else, where the dot is the credential", "{{range list}}x{{else}}{{.clientID}}{{end}}", ClientSecret, "cid-7301"},
		"with":        {"with moves the dot", "{{with dict `a` .clientID}}{{.a}}{{end}}", ClientSecret, "cid-7301"},
		"variable":    {"an assignment writes nothing", "{{$a := .clientID}}{{$a = upper $a}}{{$a}}", ClientSecret, "CID-7301"},
		"comment":     {"a comment writes nothing", "{{/* {{template}} */}}a", ClientSecret, "a"},
		"numbers":     {"numbers and booleans are written", "{{1}} {{1.5}} {{true}} {{len .scopes}}", ClientSecret, "1 1.5 true 2"},
		"b64":         {"there and back", "{{.clientSecret | b64enc}} {{.clientSecret | b64enc | b64dec}}", ClientSecret, "c2VjcmV0LTczMDk= secret-7309"},
		"quotes":      {"quote escapes, squote does not", `{{quote "a\"b" 1}} {{squote "a"}}`, ClientSecret, `"a\"b" "1" 'a'`},
		"case":        {"of letters", "{{upper `a`}}{{lower `B`}}", ClientSecret, "Ab"},
		"trim":        {"white space and ends", "[{{trim ` a `}}{{trimPrefix `x` `xb`}}{{`cy` | trimSuffix `y`}}]", ClientSecret, "[abc]"},
		"replace":     {"all of them; an empty old stands between the letters", "{{replace `a` `bb` `banana`}} {{replace `` `-` `ab`}}", ClientSecret, "bbbnbbnbb -a-b-"},
		"indent":      {"every line, as sprig does", "{{.privateKey | trim | indent 2}}|{{`a` | nindent 1}}", PrivateKeyJWT, "  pem-7306\n  second line|\n a"},
		"urlquery":    {"for connection strings", "{{urlquery .issuer}}", ClientSecret, "https%3A%2F%2Fidp-7302"},
		"json":        {"keys in order", "{{dict `b` 1 `a` (list true .clientID) | toJson}}", ClientSecret, `{"a":[true,"cid-7301"],"b":1}`},
		"everything":  {"the dot is a dict of what there is", "{{. | toJson}}", ClientSecret, `{"audience":"aud-7303","clientID":"cid-7301","clientSecret":"secret-7309","issuer":"https://idp-7302","scopes":["scope-7304","scope-7305"],"tokenURL":"https://idp-7302/token"}`},
		"lists":       {"their parts", "{{first .scopes}} {{last .scopes}} {{rest .scopes | join `,`}} {{initial .scopes | join `,`}} {{has `scope-7304` .scopes}} {{splitList `-` .clientID | join `+`}}", ClientSecret, "scope-7304 scope-7305 scope-7305 scope-7304 true cid+7301"},
		"logic":       {"decisions", "{{if and (hasPrefix `cid` .clientID) (not (contains `x` .clientID)) (or (eq .audience `a` `aud-7303`) (hasSuffix `x` .issuer))}}yes{{end}}{{ne 1 2}}{{empty ``}}", ClientSecret, "yestruetrue"},
		"choice":      {"values in place of others", "{{default `d` ``}}{{first list | default `e`}}{{coalesce `` `c`}}{{ternary `t` `f` true}}", ClientSecret, "dect"},
		"printf":      {"without widths", "{{printf `%s|%v|%d|%q|%%` .clientID 1.5 7 `a\"`}}", ClientSecret, `cid-7301|1.5|7|"a\""|%`},
		"no Go parts": {"white space is trimmed at a dash", "a {{- ` b` }}", ClientSecret, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Check(one(test.template), test.delivery); err != nil {
				t.Errorf("%s: Check: %v", test.reason, err)
			}
			fields := made(test.delivery)
			got, err := Render(one(test.template), fields)
			if diff := cmp.Diff(map[string]string{"out": test.want}, readable(got)); err != nil || diff != "" {
				t.Errorf("%s: error %v (-want +got)\n%s", test.reason, err, diff)
			}
			if diff := cmp.Diff(made(test.delivery).Scopes, fields.Scopes); diff != "" {
				t.Errorf("%s: a template changed the caller's fields: %s", test.reason, diff)
			}
		})
	}
}

func TestMistakesAreToldWithoutACredential(t *testing.T) {
	for name, test := range map[string]struct {
		reason   string
		template string
		where    string
		says     string
	}{
		"syntax":            {"what Go's parser says, and where", "a\n{{if}}", "line 2: ", "missing value for if"},
		"unclosed":          {"the parser's own place reads well", "a\n{{", "line 2: ", "unclosed action"},
		"unknown function":  {"the environment is not to be read", "a\n{{env `HOME`}}", "line 2: ", `function "env" not defined`},
		"sprig, not ours":   {"nor is anything repeated", "{{repeat 1000000 `x`}}", "line 1: ", `function "repeat" not defined`},
		"Go's, not ours":    {"Go's own functions are a list, too", "{{index .scopes 0}}", "line 1: ", `function "index" not defined`},
		"our own step":      {"nobody can call what we add", "{{_turn}}", "line 1: ", `function "_turn" not defined`},
		"unknown field":     {"a misspelt field", "a\n  {{.clientId}}", "line 2, column 5: ", "delivery ClientSecret has no field .clientId; it has .clientID, .clientSecret,"},
		"other delivery":    {"a field of another delivery", "{{.privateKey}}", "line 1, column 3: ", "no field .privateKey"},
		"branch not taken":  {"a mistake waits in every branch", "{{if false}}{{.foo}}{{end}}", "line 1, column 15: ", "no field .foo"},
		"in an argument":    {"and in every argument", "{{printf `%s` (.foo | quote)}}", "line 1, column 16: ", "no field .foo"},
		"below root":        {"and wherever the root is named", "{{range .scopes}}{{$.foo}}{{end}}", "line 1, column 21: ", "no field .foo"},
		"in an else":        {"and where the dot is the root again", "{{with .clientID}}{{else}}{{.foo}}{{end}}", "line 1, column 29: ", "no field .foo"},
		"define":            {"nothing is defined", "{{define `x`}}{{end}}", "", "define and block are not allowed"},
		"define the root":   {"not even the template itself", " {{define `line`}}x{{end}} ", "", "define and block are not allowed"},
		"block":             {"nor in the other way", "{{block `x` .}}{{end}}", "", "define and block are not allowed"},
		"template":          {"nothing is called", "{{template `line` .}}", "line 1, column 12: ", "cannot call another"},
		"a list":            {"Go's own notation is no format", "{{.scopes}}", "line 1, column 3: ", "use join or toJson"},
		"range over text":   {"text has no elements", "{{range .clientID}}{{end}}", "line 1, column 9: ", "range needs a list"},
		"field of text":     {"text has no fields", "{{.clientID.foo}}", "line 1, column 12: ", "has no fields"},
		"field of an entry": {"within a range nothing is known before", "{{range list (dict `a` 1)}}{{.b}}{{end}}", "line 1, column 30: ", "does not have it"},
		"few arguments":     {"as of any function", "{{trimPrefix `a`}}", "line 1, column 3: ", "too many or too few"},
		"a list for text":   {"as of any function", "{{upper .scopes}}", "line 1, column 9: ", "of the wrong kind"},
		"a number for text": {"as of any function", "{{upper 1}}", "line 1, column 9: ", "of the wrong kind"},
		"no list":           {"sprig panics", "{{first .clientID}}", "line 1, column 3: ", "cannot work with"},
		"comparing lists":   {"lists are equal in many ways", "{{eq .scopes .scopes}}", "line 1, column 3: ", "text, numbers and booleans only"},
		"comparing one":     {"nothing to compare with", "{{eq 1}}", "line 1, column 3: ", "two values"},
		"joining text":      {"the arguments are the other way round", "{{join .scopes `,`}}", "line 1, column 8: ", "of the wrong kind"},
		"joining no list":   {"sprig would give the text", "{{join `,` .clientID}}", "line 1, column 3: ", "join takes a separator and a list"},
		"joining lists":     {"a list of lists", "{{list .scopes | join `,`}}", "line 1, column 18: ", "use join or toJson"},
		"a width":           {"a width could fill the memory", "{{printf `%1000000d` 1}}", "line 1, column 3: ", "without widths"},
		"verbs missing":     {"Go would write %!(EXTRA", "{{printf `a` 1}}", "line 1, column 3: ", "more arguments than verbs"},
		"arguments missing": {"Go would write %!s(MISSING)", "{{printf `%s`}}", "line 1, column 3: ", "more verbs than arguments"},
		"a number of text":  {"Go would write %!d(string=", "{{printf `%d` `a`}}", "line 1, column 3: ", "whole number"},
		"a list in printf":  {"as when written", "{{printf `%v` .scopes}}", "line 1, column 3: ", "use join or toJson"},
		"outdent":           {"spaces are not taken away", "{{indent -1 `a`}}", "line 1, column 3: ", "a number of spaces"},
		"odd numbers":       {"there are none in a credential", "{{1i | toJson}}", "line 1, column 8: ", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			for doing, check := range map[string]func() error{
				"Check":  func() error { return Check(one(test.template), ClientSecret) },
				"Render": func() error { _, err := Render(one(test.template), made(ClientSecret)); return err },
			} {
				err := check()
				if err == nil {
					t.Fatalf("%s: %s found nothing", test.reason, doing)
				}
				if prefix := `laying out a Secret: key "out": ` + test.where; !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: %s: %v\nwant %q and %q", test.reason, doing, err, prefix, test.says)
				}
			}
		})
	}
}

func TestShapesThatAreNone(t *testing.T) {
	many := map[string]string{}
	for i := range MaxTemplates + 1 {
		many[fmt.Sprint("key", i)] = "x"
	}
	for name, test := range map[string]struct {
		reason string
		shape  Shape
		says   string
	}{
		"both":          {"one of them would be ignored", Shape{Preset: Files, Template: map[string]string{"a": "b"}}, "a template and a preset"},
		"no preset":     {"a word that is none", Shape{Preset: "Clay"}, `no preset "Clay"`},
		"many":          {"the work is bounded by the number of templates", Shape{Template: many}, "more than 32"},
		"long":          {"and by their length", one(strings.Repeat("é", MaxTemplateRunes+1)), "more than 4096 characters"},
		"no key":        {"Kubernetes would refuse it", Shape{Template: map[string]string{"": "x"}}, "a key of a Secret is"},
		"path":          {"and a mount would write elsewhere", Shape{Template: map[string]string{"../x": "x"}}, "a key of a Secret is"},
		"parent":        {"as would this", Shape{Template: map[string]string{"..": "x"}}, "a key of a Secret is"},
		"here":          {"as would this", Shape{Template: map[string]string{".": "x"}}, "a key of a Secret is"},
		"long key":      {"Kubernetes would refuse it", Shape{Template: map[string]string{strings.Repeat("k", 254): "x"}}, "a key of a Secret is"},
		"first of many": {"the same mistake is told every time", Shape{Template: map[string]string{"b": "{{.b}}", "a": "{{.a}}", "c": "{{.c}}"}}, `key "a": line 1, column 3: `},
		"not by value":  {"what only some values lead to hides nothing", Shape{Template: map[string]string{"a": "{{b64dec .clientSecret}}", "b": "{{.b}}"}}, `key "b": `},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Check(test.shape, ClientSecret); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: got %v, want %q", test.reason, err, test.says)
			}
		})
	}
	if err := Check(Shape{}, "Pigeon"); err == nil {
		t.Error("a delivery that there is not passes")
	}
	long := one(strings.Repeat("é", MaxTemplateRunes))
	if err := Check(long, ClientSecret); err != nil {
		t.Errorf("the API counts characters, not bytes: %v", err)
	}
}

// TestValuesAreJudgedWhenTheyAreKnown holds that a made-up credential does not refuse
// a template that a real one may fit.
func TestValuesAreJudgedWhenTheyAreKnown(t *testing.T) {
	for name, template := range map[string]string{
		"not base64": "a\n{{b64dec .clientSecret}}", "no value": "a\n{{rest .scopes | rest | first}}",
	} {
		t.Run(name, func(t *testing.T) {
			if err := Check(one(template), ClientSecret); err != nil {
				t.Errorf("Check: %v", err)
			}
			_, err := Render(one(template), made(ClientSecret))
			if err == nil || !strings.HasPrefix(err.Error(), `laying out a Secret: key "out": line 2, column `) {
				t.Errorf("Render: %v", err)
			}
		})
	}
}

// TestErrorsTellNoValue provokes what Go's templates answer with the value in it.
func TestErrorsTellNoValue(t *testing.T) {
	for _, template := range []string{
		"{{range .clientSecret}}{{end}}", "{{range $i, $e := len .clientSecret}}{{end}}", "{{.clientSecret.foo}}", "{{.clientSecret 1}}",
		"{{b64dec .clientSecret}}", "{{index .clientSecret}}", "{{first .clientSecret}}", "{{join .clientSecret .clientSecret}}", "{{rest .clientSecret}}",
		"{{dict .clientSecret | toJson}}{{len true}}", "{{printf .clientSecret 1}}", "{{printf `%d` .clientSecret}}", "{{ternary 1 2 .clientSecret}}",
		"{{indent .clientSecret `a`}}", "{{has 1 .clientSecret}}", "{{eq .scopes .clientSecret}}", "{{$x := dict .clientSecret 1}}{{$x.foo}}",
		"{{with .}}{{.foo}}{{end}}", "{{len 1}}{{.clientSecret}}", "{{splitList 1 .clientSecret}}", "{{initial .clientSecret}}", "{{empty}}",
	} {
		data, err := Render(one(template), made(ClientSecret))
		if err == nil {
			t.Errorf("%s gives %v", template, readable(data))
			continue
		}
		for _, value := range secretsAndValues() {
			if strings.Contains(err.Error(), value) {
				t.Errorf("%s: the error tells %s: %v", template, value, err)
			}
		}
	}
}

// secretsAndValues are what no error may contain.
func secretsAndValues() []string {
	return []string{"cid-73", "idp-73", "aud-73", "scope-73", "pem-73", "second line", "kid-73", `"7308`, "secret-73", "token-73"}
}
