package okta

import (
	"net/url"
	"strings"
)

// nextLink finds the target of rel="next" in Link headers (RFC 8288): path and
// query only, for it is always our own org that is asked. Headers may have been
// joined by a proxy; what cannot be parsed is passed over.
func nextLink(headers []string) (string, bool) {
	for _, header := range headers {
		for header != "" {
			target, params, rest, ok := cutLink(header)
			if !ok {
				break
			}
			header = rest
			if !isNext(params) {
				continue
			}
			u, err := url.Parse(target)
			if err != nil || !strings.HasPrefix(u.Path, "/") {
				continue
			}
			return u.RequestURI(), true
		}
	}
	return "", false
}

// cutLink takes the first link off a header: <target>; params, rest. Commas within
// the target or within quotes do not end it.
func cutLink(header string) (target, params, rest string, ok bool) {
	_, after, found := strings.Cut(header, "<")
	if !found {
		return "", "", "", false
	}
	target, after, found = strings.Cut(after, ">")
	if !found {
		return "", "", "", false
	}
	quoted := false
	for i, r := range after {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			return target, after[:i], after[i+1:], true
		}
	}
	return target, after, "", true
}

func isNext(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for rel := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(rel, "next") {
				return true
			}
		}
	}
	return false
}
