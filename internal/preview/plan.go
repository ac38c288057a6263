package preview

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// Verb says what becomes of an object.
type Verb string

// The verbs.
const (
	Create Verb = "Create"
	Change Verb = "Change"
	Keep   Verb = "Keep"
)

// Ref names an object.
type Ref struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// Step is what becomes of one of the objects.
type Step struct {
	Ref
	Verb Verb `json:"verb"`
	// Fields are those that change.
	Fields []string `json:"fields,omitempty"`
	// Okta and Cluster say what the operator does there about it.
	Okta    []string `json:"okta,omitempty"`
	Cluster []string `json:"cluster,omitempty"`
}

// Finding is what is wrong with an object once the change is made.
type Finding struct {
	Ref
	// Breach tells that it asks for more than it may; else it waits for something.
	Breach  bool   `json:"breach"`
	Message string `json:"message"`
}

// Plan is what a change does.
type Plan struct {
	Steps    []Step    `json:"steps"`
	Findings []Finding `json:"findings,omitempty"`
}

// Breached tells that something asks for more than it may.
func (p Plan) Breached() bool {
	return slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Breach })
}

// Of says what comes of it when the objects are applied. rules are the operator's; their
// Reader is not used.
func Of(ctx context.Context, before World, wanted []client.Object, rules restraint.Rules) (Plan, error) {
	after := before.with(wanted)
	c := comparison{before: before, after: after, wanted: map[id]bool{}, rules: rules}
	for _, o := range wanted {
		c.wanted[idOf(o)] = true
	}
	p := Plan{Steps: []Step{}}
	for name := range c.wanted {
		step, err := c.step(after.objects[name], before.objects[name])
		if err != nil {
			return Plan{}, err
		}
		step.Ref = Ref{name.kind, name.Namespace, name.Name}
		p.Steps = append(p.Steps, step)
	}
	var err error
	if p.Findings, err = c.findings(ctx); err != nil {
		return Plan{}, err
	}
	slices.SortFunc(p.Steps, func(a, b Step) int { return a.compare(b.Ref) })
	slices.SortFunc(p.Findings, func(a, b Finding) int { return a.compare(b.Ref) })
	return p, nil
}

// compare sorts in the order in which people think of them.
func (r Ref) compare(other Ref) int {
	order := []string{"AIAgentRole", "AgentAPIKey", "AccessPolicy", "AuditSink"}
	return cmp.Or(slices.Index(order, r.Kind)-slices.Index(order, other.Kind),
		cmp.Compare(r.Namespace, other.Namespace), cmp.Compare(r.Name, other.Name))
}

// comparison is a change that is looked at.
type comparison struct {
	before, after World
	wanted        map[id]bool
	rules         restraint.Rules
}

// step compares an object with the one before, which is nil when there is none.
func (c comparison) step(o, old client.Object) (Step, error) {
	step := Step{Verb: Create}
	if old != nil {
		fields, err := changed(old, o)
		if err != nil {
			return Step{}, err
		}
		if step.Fields = fields; len(fields) == 0 {
			step.Verb = Keep
			return step, nil
		}
		step.Verb = Change
	}
	switch o := o.(type) {
	case *v1alpha1.AIAgentRole:
		before, _ := old.(*v1alpha1.AIAgentRole)
		step.Okta = c.role(before, o)
	case *v1alpha1.AgentAPIKey:
		before, _ := old.(*v1alpha1.AgentAPIKey)
		step.Okta, step.Cluster = c.key(before, o)
	case *v1alpha1.AccessPolicy:
		before, _ := old.(*v1alpha1.AccessPolicy)
		step.Okta = c.policy(before, o)
	case *v1alpha1.AuditSink:
		step.Cluster = []string{"the operator sends what Okta's System Log says to its receiver"}
	}
	return step, nil
}

// changed names the fields of the spec that differ, and the annotation
// that asks for a new credential.
func changed(before, after client.Object) ([]string, error) {
	var fields []string
	specs := make([]map[string]any, 2)
	for i, o := range []client.Object{before, after} {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return nil, err
		}
		specs[i], _ = content["spec"].(map[string]any)
	}
	differing(specs[0], specs[1], "spec", &fields)
	if before.GetAnnotations()[v1alpha1.AnnotationRotate] != after.GetAnnotations()[v1alpha1.AnnotationRotate] {
		fields = append(fields, "metadata.annotations["+v1alpha1.AnnotationRotate+"]")
	}
	slices.Sort(fields)
	return fields, nil
}

func differing(before, after any, path string, fields *[]string) {
	if reflect.DeepEqual(before, after) {
		return
	}
	a, both := before.(map[string]any)
	b, are := after.(map[string]any)
	if !both || !are || a == nil || b == nil {
		*fields = append(*fields, path)
		return
	}
	for name := range a {
		differing(a[name], b[name], path+"."+name, fields)
	}
	for name := range b {
		if _, there := a[name]; !there {
			*fields = append(*fields, path+"."+name)
		}
	}
}
