package oktasim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// expression is a filter or a search: alternatives, of which each is comparisons
// that must all hold. Parentheses are not simulated.
type expression [][]comparison

type comparison struct{ name, operator, value string }

// comparisonPattern takes one comparison off the front of a text, with the word that
// joins it to the next. Values are quoted, so that a quoted "or" joins nothing.
const comparisonPattern = `(?i)^\s*([A-Za-z.]+)\s+([a-z]+)\s+("(?:[^"\\]|\\.)*")\s*(?:(and|or)\s+|$)`

// readExpression reads comparisons of a property, an operator and a quoted value,
// joined by "and" and "or", of which "and" binds more tightly. operators names the
// properties and what each may be compared with; the case of operators is free.
func readExpression(text string, operators map[string][]string) (expression, error) {
	pattern := regexp.MustCompile(comparisonPattern)
	all := expression{nil}
	rest, more := text, true
	for more {
		found := pattern.FindStringSubmatch(rest)
		if found == nil {
			return nil, invalidFilter("Only comparisons with quoted values, joined by and and or, are simulated.")
		}
		rest = rest[len(found[0]):]
		name, operator := found[1], strings.ToLower(found[2])
		if !slices.Contains(operators[name], operator) {
			return nil, invalidFilter("The property " + name + " cannot be compared with " + operator + ".")
		}
		value, err := strconv.Unquote(found[3])
		if err != nil {
			return nil, invalidFilter("The value of " + name + " must be in double quotes.")
		}
		last := len(all) - 1
		all[last] = append(all[last], comparison{name, operator, value})
		if strings.EqualFold(found[4], "or") {
			all = append(all, nil)
		}
		more = found[4] != ""
	}
	return all, nil
}

// holds tells whether the properties of an object fit. fold ignores the case of values.
func (e expression) holds(properties map[string]string, fold bool) bool {
	return slices.ContainsFunc(e, func(all []comparison) bool {
		return !slices.ContainsFunc(all, func(c comparison) bool { return !c.holds(properties[c.name], fold) })
	})
}

func (c comparison) holds(text string, fold bool) bool {
	value := c.value
	if fold {
		text, value = strings.ToLower(text), strings.ToLower(value)
	}
	switch c.operator {
	case "sw":
		return strings.HasPrefix(text, value)
	case "co":
		return strings.Contains(text, value)
	}
	return text == value
}
