package oktasim

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// page is what a list request asks for.
type page struct {
	limit int
	// after is the seq of the last object of the page before.
	after int
}

// readPage reads limit and after.
func readPage(c *call, standard, most int) (page, error) {
	p := page{limit: standard}
	if text := c.query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > most {
			return p, validation("limit", "limit: must be a whole number from 1 to "+strconv.Itoa(most))
		}
		p.limit = limit
	}
	if text := c.query.Get("after"); text != "" {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) != cursorLength || string(raw[:4]) != cursorMark {
			return p, validation("after", "after: The cursor is invalid.")
		}
		p.after = int(binary.BigEndian.Uint64(raw[4:]))
	}
	return p, nil
}

// A cursor is opaque: nobody may make one up, not even from an object's id. It
// remembers a position and not an object, so a page is not lost when the object is
// deleted before the next request.
const (
	cursorMark   = "cur1"
	cursorLength = len(cursorMark) + 8
)

func cursor(seq int) string {
	raw := binary.BigEndian.AppendUint64([]byte(cursorMark), uint64(seq))
	return base64.RawURLEncoding.EncodeToString(raw)
}

// list200 answers with one page of a collection, in the order of creation. Links
// stand in header lines of their own, as at Okta.
func list200[T entity](o *Org, c *call, p page, all *collection[T], keep func(T) bool, render func(T) any) (*reply, error) {
	rendered := []any{}
	last, more := 0, false
	for _, object := range all.order {
		if object.base().seq <= p.after || !o.listed(object, c.now) || !keep(object) {
			continue
		}
		if len(rendered) == p.limit {
			more = true
			break
		}
		last = object.base().seq
		rendered = append(rendered, render(object))
	}
	r := &reply{status: http.StatusOK, body: rendered, header: http.Header{}}
	r.header.Add("Link", "<"+o.selfLink(c, c.query.Get("after"))+`>; rel="self"`)
	if more {
		r.header.Add("Link", "<"+o.selfLink(c, cursor(last))+`>; rel="next"`)
	}
	return r, nil
}

func (o *Org) selfLink(c *call, after string) string {
	query := url.Values{}
	for name, values := range c.query {
		query[name] = values
	}
	query.Del("after")
	if after != "" {
		query.Set("after", after)
	}
	link := o.url(c.request.URL.Path)
	if len(query) > 0 {
		link += "?" + query.Encode()
	}
	return link
}

// term is one comparison of a filter.
type term struct{ name, value string }

// readFilter reads comparisons of the form name eq "value", joined by "and". Only
// the named properties can be compared.
func readFilter(text string, names ...string) ([]term, error) {
	if text == "" {
		return nil, nil
	}
	var terms []term
	for comparison := range strings.SplitSeq(text, " and ") {
		name, quoted, found := strings.Cut(strings.TrimSpace(comparison), " eq ")
		if !found {
			return nil, invalidFilter("Only comparisons with eq, joined by and, are simulated.")
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, invalidFilter("The value of " + name + " must be in double quotes.")
		}
		known := false
		for _, allowed := range names {
			known = known || allowed == name
		}
		if !known {
			return nil, invalidFilter("The property " + name + " cannot be filtered by.")
		}
		terms = append(terms, term{name, value})
	}
	return terms, nil
}
