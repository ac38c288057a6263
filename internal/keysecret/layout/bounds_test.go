package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestBombs holds that no template takes the operator's time or memory. It would run
// into the time limit of the tests, or out of memory, if one did.
func TestBombs(t *testing.T) {
	double := func(step string, times int) string { return "{{$a := `0123456789`}}" + strings.Repeat(step, times) }
	nested := func(times int, head, body string) string {
		return strings.Repeat(head, times) + body + strings.Repeat("{{end}}", times)
	}
	for name, test := range map[string]struct {
		reason   string
		template string
		says     string
	}{
		"counting":         {"Go's range counts to any number", "{{range 9223372036854775807}}{{end}}", "repeat less"},
		"counting unseen":  {"also when nothing is written", "{{range 9223372036854775807}}{{$x := 1}}{{continue}}{{end}}", "repeat less"},
		"nested ranges":    {"two scopes to the power of a hundred", nested(100, "{{range $.scopes}}", ""), "repeat less"},
		"dear turns":       {"a turn that does all it can for nothing", "{{range 1000000000}}" + strings.Repeat("{{$x:=1}}", 400) + "{{end}}", "repeat less"},
		"operators":        {"those that are not paid for by themselves", "{{range 1000000000}}{{$x:=" + strings.Repeat("(not ", 600) + "1" + strings.Repeat(")", 600) + "}}{{end}}", "repeat less"},
		"writing nothing":  {"a page is not filled by it", "{{range 1000000000}}" + strings.Repeat("{{``}}", 600) + "{{end}}", "repeat less"},
		"costly equality":  {"it is paid by what it compares", "{{$a := indent 30000 `x`}}{{$b := indent 30000 `x`}}{{range 1000000000}}" + strings.Repeat("{{$x:=eq $a $b}}", 200) + "{{end}}", "repeat less"},
		"calls":            {"many calls of little", "{{range 1000000000}}" + strings.Repeat("{{$x := upper `a`}}", 200) + "{{end}}", "repeat less"},
		"text":             {"a loop that writes", "{{range 1000000000}}0123456789{{end}}", "larger than 64 KiB"},
		"doubled text":     {"a text of two of itself", double("{{$a = printf `%s%s` $a $a}}", 100), "larger than 64 KiB"},
		"doubled list":     {"a list of two of itself is a small thing that is printed for ever", double("{{$a = list $a $a}}", 150) + "{{toJson $a}}", "larger than 64 KiB"},
		"doubled dict":     {"a dict as well", double("{{$a = dict `a` $a `b` $a}}", 120) + "{{toJson $a}}", "larger than 64 KiB"},
		"wide list":        {"many of something large", "{{$a := indent 60000 `x`}}{{$b := list" + strings.Repeat(" $a", 1000) + "}}", "larger than 64 KiB"},
		"split":            {"a text is at most as many parts as it has letters", "{{$a := indent 65000 `x`}}{{splitList `` $a | len}}", "larger than 64 KiB"},
		"spaces":           {"a number is a size", "{{indent 1000000000 `x`}}", "a number of spaces"},
		"spaces by lines":  {"and lines multiply it", "{{$a := indent 30000 `x` | replace ` ` `\n`}}{{indent 60000 $a}}", "larger than 64 KiB"},
		"replacing":        {"each letter by something large", "{{$a := indent 30000 `x`}}{{replace ` ` $a $a}}", "larger than 64 KiB"},
		"replacing none":   {"even what is not there", "{{$a := indent 30000 `x`}}{{replace `` $a $a}}", "larger than 64 KiB"},
		"joining":          {"a separator is repeated", "{{$a := indent 30000 `x`}}{{splitList `` (indent 200 `x`) | join $a}}", "larger than 64 KiB"},
		"joining nothing":  {"also between empty words", "{{$a := indent 30000 `x`}}{{splitList ` ` (indent 200 `x`) | join $a}}", "larger than 64 KiB"},
		"quoting":          {"an escape is longer than what it stands for", "{{$a := indent 30000 `x` | replace ` ` `\n`}}{{quote $a}}{{printf `%q%q` $a $a}}", "larger than 64 KiB"},
		"encoding":         {"again and again", "{{$a := `x`}}{{range 1000}}{{$a = b64enc $a}}{{end}}", "larger than 64 KiB"},
		"writing the same": {"what is written costs nothing but its room", "{{$a := indent 60000 `x`}}{{$a}}{{$a}}", "larger than 64 KiB"},
		"deep parentheses": {"the parser is bounded by the text", strings.Repeat("{{", 1) + strings.Repeat("(", 2000) + "1" + strings.Repeat(")", 2000) + "}}", ""},
		"deep ifs":         {"as are branches", nested(200, "{{if 1}}", "x"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if len(test.template) > MaxTemplateRunes {
				t.Fatalf("this template is refused for its length, %d", len(test.template))
			}
			_, err := Render(one(test.template), made(ClientSecret))
			if test.says == "" && err == nil {
				return
			}
			if err == nil || test.says == "" || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: got %v, want %q", test.reason, err, test.says)
			}
		})
	}
}

func TestWorkIsSharedBySecret(t *testing.T) {
	shape := Shape{Template: map[string]string{}}
	for i := range MaxTemplates {
		shape.Template[fmt.Sprintf("key%02d", i)] = "{{range 4000}}01234567{{continue}}{{end}}"
	}
	err := Check(shape, ClientSecret)
	if want := `laying out a Secret: key "key05": line 1, column 9: `; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestSizes(t *testing.T) {
	full := strings.Repeat("{{indent 16000 ``}}", 4) // 64000 bytes
	shape := Shape{Template: map[string]string{}}
	for i := range 8 {
		shape.Template[fmt.Sprint(i)] = full
	}
	data, err := Render(shape, made(ClientSecret))
	if err != nil || len(data) != 8 || len(data["0"]) != 64000 {
		t.Fatalf("eight large keys fit: %v, %d keys", err, len(data))
	}
	shape.Template["8"] = full
	if _, err := Render(shape, made(ClientSecret)); err == nil || !strings.Contains(err.Error(), "larger than 512 KiB") {
		t.Errorf("a Secret of 562 KiB: %v", err)
	}

	fields := made(AccessToken)
	fields.AccessToken = identity.NewSecret([]byte(strings.Repeat("x", MaxKeyBytes)))
	if _, err := Render(Shape{}, fields); err != nil {
		t.Errorf("the largest token: %v", err)
	}
	fields.AccessToken = identity.NewSecret([]byte(strings.Repeat("x", MaxKeyBytes+1)))
	for _, shape := range []Shape{{}, one("{{.accessToken}}"), one("{{.accessToken | trim}}")} {
		if _, err := Render(shape, fields); err == nil || !strings.Contains(err.Error(), "larger than 64 KiB") {
			t.Errorf("%+v: a token of more than 64 KiB: %v", shape, err)
		}
	}
}

// TestTheSameGivesTheSame holds that an unchanged world is not written to.
func TestTheSameGivesTheSame(t *testing.T) {
	shape := one("{{range $k, $v := dict `c` 1 `a` 2 `b` 3}}{{$k}}{{$v}}{{end}}{{dict `z` 1 `y` .scopes | toJson}}{{. | toJson}}")
	first, err := Render(shape, made(PrivateKeyJWT))
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		again, err := Render(shape, made(PrivateKeyJWT))
		if diff := cmp.Diff(first, again); err != nil || diff != "" {
			t.Fatalf("error %v (-first +again)\n%s", err, diff)
		}
	}
}

// TestTemplatesDoNotSeeEachOther holds that the order of keys decides nothing.
func TestTemplatesDoNotSeeEachOther(t *testing.T) {
	shape := Shape{Template: map[string]string{"a": "{{$x := .scopes}}{{$x = list}}{{$ := 1}}", "b": "{{join ` ` .scopes}}"}}
	got, err := Render(shape, made(ClientSecret))
	want := map[string]string{"a": "", "b": "scope-7304 scope-7305"}
	if diff := cmp.Diff(want, readable(got)); err != nil || diff != "" {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
}

// TestEveryFunctionIsThere holds that sprig has what the list names.
func TestEveryFunctionIsThere(t *testing.T) {
	known := functions(&meter{left: maxWork})
	for _, name := range fromSprig() {
		if known[name] == nil {
			t.Errorf("sprig has no %s", name)
		}
	}
}

// FuzzTemplate holds for any template: it neither panics nor hangs, keeps the bounds,
// gives the same twice, and tells no value in an error; and what Check refuses, Render
// refuses as well.
func FuzzTemplate(f *testing.F) {
	for _, template := range []string{
		"{{.clientID}}:{{.clientSecret}}", "{{range $i, $s := .scopes}}{{$i}}{{$s}}{{else}}none{{end}}",
		"{{range 1000000}}{{range 1000000}}{{end}}{{end}}", "{{$a := list .}}{{range 99}}{{$a = list $a $a}}{{end}}{{toJson $a}}",
		"{{define `line`}}{{template `line`}}{{end}}{{template `line`}}", "{{printf `%s %q %d` .issuer .audience 1 | nindent 4}}",
		"{{dict `a` (splitList `-` .clientID | rest | join `+`) | toJson | b64enc | b64dec}}", "{{with .privateKey}}{{.}}{{end}}",
		"{{if and (eq .audience `x`) (not .keyID)}}{{.expiresAt}}{{end}}", "{{replace `` (indent 60000 `x`) .issuer}}",
	} {
		f.Add(template)
	}
	f.Fuzz(func(t *testing.T, template string) {
		for _, delivery := range deliveries() {
			refused := Check(one(template), delivery)
			data, err := Render(one(template), made(delivery))
			if refused != nil && strings.Contains(refused.Error(), "has no field") && err == nil {
				t.Errorf("Check refuses what Render takes: %v", refused)
			}
			if err != nil {
				for _, value := range secretsAndValues() {
					if strings.Contains(err.Error(), value) && !strings.Contains(template, value) {
						t.Errorf("the error tells %s: %v", value, err)
					}
				}
				continue
			}
			if len(data) != 1 || len(data["out"]) > MaxKeyBytes {
				t.Errorf("%d keys, %d bytes", len(data), len(data["out"]))
			}
			again, err := Render(one(template), made(delivery))
			if diff := cmp.Diff(data, again); err != nil || diff != "" {
				t.Errorf("error %v (-first +again)\n%s", err, diff)
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	shape := one("{{dict `id` .clientID `secret` .clientSecret `scopes` .scopes | toJson}}")
	for b.Loop() {
		if _, err := Render(shape, made(ClientSecret)); err != nil {
			b.Fatal(err)
		}
	}
}
