package identity

import "regexp"

// IsE164 tells a phone number in the form of ITU-T E.164, as Okta takes it: a plus sign, the
// country code and the rest, 8 to 15 digits, no blanks.
func IsE164(number []byte) bool {
	return regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`).Match(number)
}
