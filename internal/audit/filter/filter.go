// Package filter decides by an expression of the Common Expression Language which events
// are meant. It refuses to know whether a match is sent or answered, and takes
// expressions from people who are not trusted with the operator's time and memory.
package filter

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// What an expression may cost, in CEL's units: about one for each operation and each
// ten characters that are looked at.
const (
	// maxSize is the length of an expression in characters, the API's bound.
	maxSize = 4096
	// maxDepth is how deep an expression may be nested.
	maxDepth = 64
	// maxEstimate is what it may cost at worst for an event of usual size: one loop over
	// targets within another passes, three do not.
	maxEstimate = 1_000_000
	// maxCost is what it may cost for one event in fact: about ten milliseconds.
	maxCost = 100_000
	// interruptEvery is how many turns of a loop pass between looks at the context.
	interruptEvery = 64
)

// Program is an expression that was compiled. Any number of goroutines may use it at once.
type Program struct{ program cel.Program }

// Compile reads an expression over event, Okta's own JSON, and agent. It must yield a bool. What
// comes of agent is known beforehand, so that a misspelt field of it is an error here; of
// event nothing is known. An error says the line and column and shows the place; it is
// the same each time and short enough for a condition.
func Compile(expression string) (*Program, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("preparing CEL: %w", err)
	}
	if size := len([]rune(expression)); size > maxSize {
		return nil, fmt.Errorf("the expression has %d characters; at most %d are allowed", size, maxSize)
	}
	ast, issues := env.Compile(expression)
	if err := complaint(expression, issues); err != nil {
		return nil, err
	}
	if yields := ast.OutputType(); !yields.IsExactType(cel.BoolType) && !yields.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("the expression yields %s; it must yield bool", cel.FormatCELType(yields))
	}
	estimate, err := env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, fmt.Errorf("estimating what the expression costs: %w", err)
	}
	if estimate.Max > maxEstimate {
		return nil, errors.New("the expression may cost too much: do not put loops within loops")
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost), cel.CostLimit(maxCost),
		cel.InterruptCheckFrequency(interruptEvery))
	if err != nil {
		return nil, fmt.Errorf("compiling the expression: %s", short(err.Error()))
	}
	return &Program{program: program}, nil
}

// Match tells whether the expression holds for the event. An error is what cannot be
// decided: the expression looks at a member that the event does not have, yields no bool,
// costs too much, or the context has ended. What then is right depends on what the match
// is for, and is the caller's to say: a filter sends the event, for an auditor would
// rather have one event too many than miss one; a detection holds it for no match, for it
// would act on an agent. Either way it is told, and all other events go on. Expressions
// avoid it by asking first: has(event.client.zone), or event.?client.?zone.orValue("").
func (p *Program) Match(ctx context.Context, in *Input) (bool, error) {
	out, _, err := p.program.ContextEval(ctx, in)
	if err != nil {
		return false, fmt.Errorf("evaluating the expression: %s", short(err.Error()))
	}
	matched, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("evaluating the expression: it yields %s, not bool", out.Type().TypeName())
	}
	return matched, nil
}

// MatchEvent is Match for an event that only one expression looks at.
func (p *Program) MatchEvent(ctx context.Context, e event.Event) (bool, error) {
	return p.Match(ctx, NewInput(e))
}
