package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	crd "github.com/agentidentity/agent-identity-operator/config/crd"
	"github.com/agentidentity/agent-identity-operator/internal/manifest"
	"github.com/agentidentity/agent-identity-operator/internal/preview"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// proposal is what the flags ask for.
type proposal struct {
	files   resource.FilenameOptions
	offline bool
	rules   restraint.Rules
	without string
}

func (p *plugin) plan() *cobra.Command {
	var q proposal
	c := &cobra.Command{
		Use:   "plan -f FILE",
		Short: "Show what applying manifests would change in Okta, and what a ceiling forbids",
		Long: `Show what would change in Okta and in the cluster if the manifests were applied, before
anybody applies them. Nothing is changed, and Okta is not asked.

The manifests are held to the same schema, defaults and rules as by an API server with the CRDs
of this version, and compared with the objects in the cluster. Everything is then held to the
Ceilings that are there and those among the manifests: whatever asks for more than it may is
told, also when it stands in the cluster and the manifests make it so. Manifests of other kinds
are passed over.

With --offline no cluster is asked: all is taken for new, and the Ceilings and Namespaces are
those among the manifests.

Exit codes: 0 it may be applied, 1 it could not be found out, 2 something is wrong with the
manifests or asks for more than it may.`,
		Example: `  kubectl agentid plan -f config/ -R
  kubectl agentid plan -k overlays/production
  kubectl agentid plan --offline -f agent.yaml -f ceilings.yaml -o json`,
		Args: atMost(0, "no arguments (-f and -k name what is read)"),
		RunE: func(c *cobra.Command, _ []string) error { return p.runPlan(c.Context(), q) },
	}
	f := c.Flags()
	f.StringSliceVarP(&q.files.Filenames, "filename", "f", nil, "files or directories with manifests, or - for what is piped in")
	f.StringVarP(&q.files.Kustomize, "kustomize", "k", "", "a directory with a kustomization")
	f.BoolVarP(&q.files.Recursive, "recursive", "R", false, "read directories below those of -f too")
	f.BoolVar(&q.offline, "offline", false, "do not ask a cluster")
	f.StringVar(&q.rules.Home, "ceiling-namespace", operatorNamespace, "the operator's namespace, where Ceilings count")
	f.StringVar(&q.rules.Incident, "incident-namespace", operatorNamespace, "where Quarantines count")
	f.StringVar(&q.without, "without-ceiling", "Allow",
		"what namespaces may that no Ceiling selects, as the operator's configuration has it: Allow or Deny")
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

func (p *plugin) runPlan(ctx context.Context, q proposal) error {
	switch {
	case len(q.files.Filenames) == 0 && q.files.Kustomize == "":
		return misuse("name what is to be applied: -f FILE, -k DIRECTORY")
	case q.without != "Allow" && q.without != "Deny":
		return misuse("--without-ceiling %s is neither Allow nor Deny", q.without)
	}
	q.rules.DefaultDeny = q.without == "Deny"
	read, err := p.readManifests(q.files)
	if err != nil {
		return err
	}
	there := standing{world: preview.NewWorld(nil)}
	if !q.offline {
		if there, err = p.readWorld(ctx, read, q.rules); err != nil {
			return err
		}
	}
	wanted, err := judged(ctx, read.objects, there.objects)
	if err != nil {
		return err
	}
	plan, err := preview.Of(ctx, there.world.Labelling(read.labels), wanted, q.rules)
	if err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	if err := p.showPlan(plan); err != nil {
		return err
	}
	return verdict(plan, there.unseen)
}

// verdict is what a pipeline goes by.
func verdict(plan preview.Plan, unseen []string) error {
	if plan.Breached() {
		return usageError{errors.New("something asks for more than it may; nothing was changed")}
	}
	if len(unseen) > 0 {
		return fmt.Errorf("whether a Ceiling forbids it could not be found out: you may not read %s", strings.Join(unseen, ", nor "))
	}
	return nil
}

// objectID names an object of one of the kinds.
type objectID struct {
	kind string
	types.NamespacedName
}

func idOf(o *unstructured.Unstructured) objectID {
	return objectID{o.GetKind(), types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}}
}

// judged gives the manifests with their defaults as objects, or all that is wrong with them.
func judged(ctx context.Context, manifests []manifestOf, stored map[objectID]*unstructured.Unstructured) ([]client.Object, error) {
	judge, err := manifest.New(crd.Files)
	if err != nil {
		return nil, err
	}
	var objects []client.Object
	var wrong []string
	for _, m := range manifests {
		before := stored[idOf(m.object)]
		if errs := judge.Complete(ctx, m.object, before); len(errs) > 0 {
			for _, err := range errs {
				wrong = append(wrong, fmt.Sprintf("%s: %s %s: %s", m.source, m.object.GetKind(), m.object.GetName(), err))
			}
			continue
		}
		o, err := typed(m.object)
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	if len(wrong) > 0 {
		return nil, misuse("the API server would refuse\n%s", strings.Join(wrong, "\n"))
	}
	return objects, nil
}

func typed(u *unstructured.Unstructured) (client.Object, error) {
	var o client.Object
	switch u.GetKind() {
	case "AIAgentRole":
		o = &v1alpha1.AIAgentRole{}
	case "AgentAPIKey":
		o = &v1alpha1.AgentAPIKey{}
	case "AccessPolicy":
		o = &v1alpha1.AccessPolicy{}
	case "AuditSink":
		o = &v1alpha1.AuditSink{}
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, o); err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return o, nil
}

// signOf stands before what becomes of an object.
func signOf(verb preview.Verb) string {
	return map[preview.Verb]string{preview.Create: "+", preview.Change: "~", preview.Keep: "="}[verb]
}

// showPlan keeps each thing to a line of its own: what is shown is what somebody else proposes.
func (p *plugin) showPlan(plan preview.Plan) error {
	if p.flags.output != formatTable {
		return p.printValue(plan)
	}
	counts := map[preview.Verb]int{}
	for _, step := range plan.Steps {
		counts[step.Verb]++
		line := fmt.Sprintf("%s %s %s/%s", signOf(step.Verb), step.Kind, step.Namespace, step.Name)
		if len(step.Fields) > 0 {
			line += "  (" + strings.Join(step.Fields, ", ") + ")"
		}
		p.tell("%s", line)
		for _, effect := range step.Okta {
			p.tell("    Okta: %s", plain(effect))
		}
		for _, effect := range step.Cluster {
			p.tell("    here: %s", plain(effect))
		}
		if step.Verb != preview.Keep && len(step.Okta)+len(step.Cluster) == 0 {
			p.tell("    changes nothing in Okta by itself")
		}
	}
	above := 0
	for _, finding := range plan.Findings {
		if finding.Breach {
			above++
		}
		p.tell("! %s %s/%s %s", finding.Kind, finding.Namespace, finding.Name, plain(finding.Message))
	}
	p.tell("\n%d to create, %d to change, %d as they are; %d above a ceiling",
		counts[preview.Create], counts[preview.Change], counts[preview.Keep], above)
	return nil
}
