package eventlog

// Refusal is why a query is not answered, in Okta's words where they are known.
type Refusal struct {
	Kind RefusalKind
	// Field is the parameter, Text what is wrong with it.
	Field, Text string
}

// RefusalKind tells what is wrong with a query.
type RefusalKind int

// The kinds of refusals.
const (
	// BadParameter is a value that a parameter cannot have.
	BadParameter RefusalKind = iota
	// BadDate is a time that is none.
	BadDate
	// BadFilter is a filter that cannot be read, or a time that is too long ago.
	BadFilter
	// BadComparison is a property that cannot be compared in that way.
	BadComparison
)

func (r *Refusal) Error() string { return r.Text }

func bad(field, text string) *Refusal { return &Refusal{BadParameter, field, text} }

func badFilter(text string) *Refusal { return &Refusal{BadFilter, "filter", text} }

func badComparison(operator, name string) *Refusal {
	return &Refusal{
		BadComparison, "filter",
		"The supplied combination of operator and field is not currently supported. Operator: " + operator + ", Field: " + name,
	}
}
