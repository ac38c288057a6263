package filter

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

// environment has CEL's standard library, optional members, and addresses of networks.
// It has not CEL's library of strings: one replace within another makes gigabytes of an
// expression that costs next to nothing by CEL's count. Regular expressions are RE2's.
func environment() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("event", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("agent", cel.ObjectType("filter.Agent")),
		cel.OptionalTypes(),
		ext.Network(),
		// After all libraries, for they add types of their own to a provider that this one hides.
		ext.NativeTypes(reflect.TypeFor[Agent](), reflect.TypeFor[Role](), ext.ParseStructTags(true)),
		lower(),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxSize),
		cel.ParserRecursionLimit(maxDepth),
	)
}

// lower is lowerAscii, for names that Okta does not tell apart by case.
func lower() cel.EnvOption {
	return cel.Function("lowerAscii", cel.MemberOverload("string_lower_ascii", []*cel.Type{cel.StringType}, cel.StringType,
		cel.UnaryBinding(func(value ref.Val) ref.Val {
			s, _ := value.Value().(string)
			return types.String(strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r - 'A' + 'a'
				}
				return r
			}, s))
		})))
}

// sizes tells CEL how large at worst it should think things are that it cannot know: an
// event has a few targets and texts of a line. Larger ones are met by maxCost.
type sizes struct{}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(checker.AstNode) *checker.SizeEstimate {
	return &checker.SizeEstimate{Min: 0, Max: 128}
}

// EstimateCallCost implements checker.CostEstimator.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// The bounds of a message, in characters, and how much of a line it shows.
const (
	maxMessage = 300
	shownBack  = 40
	shownAhead = 40
)

// complaint is what is wrong with an expression: the first error, and how many more.
func complaint(expression string, issues *cel.Issues) error {
	if issues.Err() == nil {
		return nil
	}
	errs := issues.Errors()
	first := errs[0]
	message := short(first.Message)
	if line := first.Location.Line(); line > 0 {
		shown, caret := place(expression, line, first.Location.Column())
		message = fmt.Sprintf("%d:%d: %s\n | %s\n | %s^", line, first.Location.Column()+1, message, shown, caret)
	}
	if more := len(errs) - 1; more > 0 {
		message = fmt.Sprintf("%s\n(and %d more)", message, more)
	}
	return fmt.Errorf("%s", message)
}

// place is what of the line stands around the column, and what brings a caret under it.
func place(expression string, line, column int) (shown, caret string) {
	lines := strings.Split(expression, "\n")
	if line > len(lines) {
		return "", ""
	}
	text := []rune(strings.ToValidUTF8(lines[line-1], "\ufffd"))
	column = min(max(column, 0), len(text))
	from, to := max(column-shownBack, 0), min(column+shownAhead, len(text))
	before, after := "", ""
	if from > 0 {
		before = "..."
	}
	if to < len(text) {
		after = "..."
	}
	plain := func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}
	return before + strings.Map(plain, string(text[from:to])) + after, strings.Repeat(" ", len(before)+column-from)
}

// short bounds a message, and keeps it on one line.
func short(message string) string {
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, "\ufffd")), " ")
	if utf8.RuneCountInString(message) <= maxMessage {
		return message
	}
	return string([]rune(message)[:maxMessage]) + "..."
}
