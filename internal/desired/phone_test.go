package desired

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func TestPhoneKey(t *testing.T) {
	for login, want := range map[string]string{
		"ada@example.com": "ada_example.com", "Ada+Test@Example.com": "ada_test_example.com", "o'hara-1": "o_hara-1", "jürgen": "j_rgen",
	} {
		if got := PhoneKey(login); got != want {
			t.Errorf("%s: got %s, want %s", login, got, want)
		}
	}
}

func TestPhonesOf(t *testing.T) {
	number := func(text string) Phone { return Phone{Number: identity.NewSecret([]byte(text))} }
	for name, tt := range map[string]struct {
		reason, key, value, login string
		want                      Phone
		wrong                     string
	}{
		"Number":     {"a number is taken", "ada_x", "+4915112345678", "ada@x", number("+4915112345678"), ""},
		"Newline":    {"as files have it at their end", "ada_x", "+12345678\n", "ada@x", number("+12345678"), ""},
		"None":       {"somebody who has none there", "bob_x", "+4915112345678", "ada@x", Phone{}, ""},
		"Blanks":     {"no blanks within", "ada_x", "+49 151 12345678", "ada@x", Phone{}, "key ada_x has no number"},
		"National":   {"not without the country", "ada_x", "015112345678", "ada@x", Phone{}, "key ada_x has no number"},
		"Zero":       {"no country code begins with zero", "ada_x", "+015112345678", "ada@x", Phone{}, "key ada_x has no number"},
		"TooLong":    {"no more than 15 digits", "ada_x", "+1234567890123456", "ada@x", Phone{}, "key ada_x has no number"},
		"TooShort":   {"no fewer than 8", "ada_x", "+1234567", "ada@x", Phone{}, "key ada_x has no number"},
		"Empty":      {"and something at all", "ada_x", "", "ada@x", Phone{}, "key ada_x has no number"},
		"Namesake":   {"whose key is another's gets nobody's number", "eve_x", "+4915112345678", "eve@x", Phone{}, "key eve_x is that of eve+x and eve@x"},
		"Namesake 2": {"nor does the other", "eve_x", "+4915112345678", "eve+x", Phone{}, "key eve_x is that of eve+x and eve@x"},
	} {
		t.Run(name, func(t *testing.T) {
			got := PhonesOf(map[string][]byte{tt.key: []byte(tt.value)}, []string{"ada@x", "eve@x", "eve+x"})[tt.login]
			if !strings.HasPrefix(got.Wrong, tt.wrong) || (got.Wrong == "") != (tt.wrong == "") {
				t.Errorf("%s: got %q, want it to begin with %q", tt.reason, got.Wrong, tt.wrong)
			}
			if digits := strings.Trim(tt.value, "+ \n"); digits != "" && strings.Contains(fmt.Sprintf("%+v", got), digits) {
				t.Errorf("the number is shown: %+v", got)
			}
			got.Wrong = ""
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}
