package eventlog

// Refusal is why a query is not answered.
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
	// BadFilter is a filter, or a time, that cannot be read.
	BadFilter
	// BadComparison is a property that cannot be compared in that way.
	BadComparison
)

func (r *Refusal) Error() string { return r.Field + ": " + r.Text }

func bad(field, text string) *Refusal { return &Refusal{BadParameter, field, text} }

func badFilter(text string) *Refusal { return &Refusal{BadFilter, "filter", text} }

func badComparison(text string) *Refusal { return &Refusal{BadComparison, "filter", text} }
