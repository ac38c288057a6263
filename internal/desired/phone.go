package desired

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Phone is what a Secret says of where a member gets text messages. At most one of the two
// is set.
type Phone struct {
	Number identity.Secret
	// Wrong says why there is no number although there should be one; it shows none.
	Wrong string
}

// PhoneKey is the key of a login in a Secret of phone numbers: the login in small letters,
// with an underscore for what the key of a Secret cannot have.
func PhoneKey(login string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, strings.ToLower(login))
}

// PhonesOf reads what a Secret says of each of the logins. Whose key is another's as well
// gets no number: it could be the other's.
func PhonesOf(data map[string][]byte, logins []string) map[string]Phone {
	byKey := map[string][]string{}
	for _, login := range logins {
		byKey[PhoneKey(login)] = append(byKey[PhoneKey(login)], login)
	}
	phones := map[string]Phone{}
	for key, of := range byKey {
		value, given := data[key]
		if !given {
			continue
		}
		phone := Phone{Number: identity.NewSecret(bytes.TrimSpace(value))}
		switch {
		case len(of) > 1:
			slices.Sort(of)
			phone = Phone{Wrong: fmt.Sprintf("key %s is that of %s; take one of them out of the role", key, strings.Join(of, " and "))}
		case !identity.IsE164(bytes.TrimSpace(value)):
			phone = Phone{Wrong: fmt.Sprintf("key %s has no number in E.164 form: a plus sign, the country code and the rest, "+
				"8 to 15 digits without blanks", key)}
		}
		for _, login := range of {
			phones[login] = phone
		}
	}
	return phones
}
