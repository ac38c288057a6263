package eventlog

import (
	"errors"
	"slices"
	"strings"
)

// predicate holds a record against a filter.
type predicate func(*record) bool

// property is what a filter can name.
type property struct {
	values func(*record) []string
	// many tells that an event may have several of it.
	many bool
}

func one(value func(*record) string) property {
	return property{values: func(r *record) []string {
		if text := value(r); text != "" {
			return []string{text}
		}
		return nil
	}}
}

func ofTargets(value func(Party) string) property {
	return property{many: true, values: func(r *record) []string {
		var all []string
		for _, t := range r.event.Targets {
			if text := value(t); text != "" {
				all = append(all, text)
			}
		}
		return all
	}}
}

// properties lists what can be filtered by; published cannot, as Okta says.
func properties() map[string]property {
	return map[string]property{
		"uuid":                                 one(func(r *record) string { return r.uuid.String() }),
		"eventType":                            one(func(r *record) string { return r.event.Type }),
		"displayMessage":                       one(func(r *record) string { return r.event.Message }),
		"severity":                             one(func(r *record) string { return r.event.Severity }),
		"actor.id":                             one(func(r *record) string { return r.event.Actor.ID }),
		"actor.type":                           one(func(r *record) string { return r.event.Actor.Type }),
		"actor.alternateId":                    one(func(r *record) string { return r.event.Actor.AlternateID }),
		"actor.displayName":                    one(func(r *record) string { return r.event.Actor.DisplayName }),
		"client.id":                            one(func(r *record) string { return r.event.Client.ID }),
		"client.ipAddress":                     one(func(r *record) string { return r.event.Client.IP }),
		"client.zone":                          one(func(r *record) string { return r.event.Client.Zone }),
		"outcome.result":                       one(func(r *record) string { return r.event.Result }),
		"outcome.reason":                       one(func(r *record) string { return r.event.Reason }),
		"transaction.id":                       one(func(r *record) string { return r.transaction() }),
		"transaction.detail.requestApiTokenId": one(func(r *record) string { return r.event.TokenID }),
		"authenticationContext.externalSessionId": one(func(r *record) string { return r.event.Session }),
		"target.id":          ofTargets(func(t Party) string { return t.ID }),
		"target.type":        ofTargets(func(t Party) string { return t.Type }),
		"target.alternateId": ofTargets(func(t Party) string { return t.AlternateID }),
		"target.displayName": ofTargets(func(t Party) string { return t.DisplayName }),
	}
}

// parser reads a filter: comparisons joined by and and or, of which and binds closer,
// with not and parentheses.
type parser struct {
	words []string
	known map[string]property
	depth int
}

// Bounds on filters, so that none costs more than it is worth.
const (
	longestFilter = 4096
	deepestFilter = 32
)

func readFilter(text string) (predicate, error) {
	if len(text) > longestFilter {
		return nil, badFilter("Invalid filter: it is too long")
	}
	words, err := split(text)
	if err != nil {
		return nil, badFilter("Invalid filter '" + text + "': " + err.Error())
	}
	p := &parser{words: words, known: properties()}
	found, err := p.either()
	if err == nil && len(p.words) > 0 {
		err = errors.New("unexpected '" + p.words[0] + "'")
	}
	if refused, is := errors.AsType[*Refusal](err); is {
		return nil, refused
	}
	if err != nil {
		return nil, badFilter("Invalid filter '" + text + "': " + err.Error())
	}
	return found, nil
}

// split cuts a filter into words; a quoted value is one word, beginning with its quote.
func split(text string) ([]string, error) {
	var words []string
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		switch text[0] {
		case '(', ')':
			words, text = append(words, text[:1]), text[1:]
		case '"':
			value, rest, err := quoted(text[1:])
			if err != nil {
				return nil, err
			}
			words, text = append(words, `"`+value), rest
		default:
			end := strings.IndexAny(text, ` ()"`)
			if end < 0 {
				end = len(text)
			}
			words, text = append(words, text[:end]), text[end:]
		}
	}
	return words, nil
}

func quoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		case text[i] == '\\' && i+1 < len(text) && strings.ContainsRune(`"\`, rune(text[i+1])):
			i++
			b.WriteByte(text[i])
		case text[i] == '\\':
			return "", "", errors.New("only quotes and backslashes can be escaped")
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", errors.New("a quote is not closed")
}

// take removes the next word if it is the one.
func (p *parser) take(word string) bool {
	if len(p.words) == 0 || p.words[0] != word {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

func (p *parser) either() (predicate, error) {
	left, err := p.both()
	for err == nil && p.take("or") {
		var right predicate
		right, err = p.both()
		before := left
		left = func(r *record) bool { return before(r) || right(r) }
	}
	return left, err
}

func (p *parser) both() (predicate, error) {
	left, err := p.term()
	for err == nil && p.take("and") {
		var right predicate
		right, err = p.term()
		before := left
		left = func(r *record) bool { return before(r) && right(r) }
	}
	return left, err
}

func (p *parser) term() (predicate, error) {
	if p.take("not") {
		if len(p.words) == 0 || p.words[0] != "(" {
			return nil, errors.New("after not there must be a parenthesis")
		}
		inner, err := p.term()
		return func(r *record) bool { return !inner(r) }, err
	}
	if !p.take("(") {
		return p.comparison()
	}
	p.depth++
	if p.depth > deepestFilter {
		return nil, errors.New("it is nested too deep")
	}
	inner, err := p.either()
	if err == nil && !p.take(")") {
		err = errors.New("a parenthesis is not closed")
	}
	p.depth--
	return inner, err
}

func (p *parser) comparison() (predicate, error) {
	name, operator := p.next(), p.next()
	known, exists := p.known[name]
	if !exists {
		return nil, badFilter("field is not valid: " + name)
	}
	if operator == "pr" {
		return func(r *record) bool { return len(known.values(r)) > 0 }, nil
	}
	if slices.Contains([]string{"gt", "ge", "lt", "le"}, operator) || operator == "ne" && known.many {
		// An event with two targets is and is not of one of them: nobody can say what
		// ne means there.
		return nil, badComparison(operator, name)
	}
	compare, exists := operators()[operator]
	if !exists {
		return nil, errors.New("unrecognized attribute operator '" + operator + "'")
	}
	value, isText := strings.CutPrefix(p.next(), `"`)
	if !isText {
		return nil, errors.New("the value of " + name + " must be in double quotes")
	}
	if operator == "ne" {
		return func(r *record) bool { return !slices.Contains(known.values(r), value) }, nil
	}
	return func(r *record) bool {
		return slices.ContainsFunc(known.values(r), func(has string) bool { return compare(has, value) })
	}, nil
}

func operators() map[string]func(has, value string) bool {
	equal := func(has, value string) bool { return has == value }
	return map[string]func(has, value string) bool{
		"eq": equal, "ne": equal, "co": strings.Contains, "sw": strings.HasPrefix, "ew": strings.HasSuffix,
	}
}
