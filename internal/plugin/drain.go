package plugin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// drainage is what the flags ask for.
type drainage struct {
	yes     bool
	timeout time.Duration
}

func (p *plugin) drain() *cobra.Command {
	var d drainage
	c := &cobra.Command{
		Use:   "drain",
		Short: "Delete all keys, policies, roles and sinks of a namespace, in Okta too, and wait until they are gone",
		Long: `Delete all AgentAPIKeys, then the AccessPolicies about sign-in and agents, all AIAgentRoles, and at
last Ceilings, Quarantines and AuditSinks of the namespace, or of all with -A, and wait until the
operator has done in Okta what their deletion asks for. Do it before the operator is uninstalled,
and before a namespace is deleted whose agents should stop first. Each key is confirmed, so the
brake on mass deletion lets it pass.

Without --yes nothing is done: what would go is shown, and who in other namespaces loses by it.

Exit code 3 when something is still there after --timeout; it goes on being deleted.`,
		Example: `  kubectl agentid drain -n chatbot
  kubectl agentid drain -n chatbot --yes`,
		Args: atMost(0, "no arguments (-n or -A say where)"),
		RunE: func(c *cobra.Command, _ []string) error { return p.runDrain(c.Context(), d) },
	}
	c.Flags().BoolVar(&d.yes, "yes", false, "do it")
	c.Flags().DurationVar(&d.timeout, "timeout", 10*time.Minute, "how long to wait for all")
	p.withAllNamespaces(c)
	return c
}

// wave is what goes at once.
type wave struct {
	kind    string
	objects []client.Object
}

// waves are the objects in the order in which they go: what depends on others first, and what
// limits others when there is nothing left to limit, lest roles that go be given more meanwhile.
func waves(all map[string][]client.Object) []wave {
	var limits, conditions []client.Object
	for _, o := range all["AccessPolicy"] {
		if limiting(o) {
			limits = append(limits, o)
		} else {
			conditions = append(conditions, o)
		}
	}
	return []wave{
		{"AgentAPIKey", all["AgentAPIKey"]},
		{"AccessPolicy", conditions},
		{"AIAgentRole", all["AIAgentRole"]},
		{"AccessPolicy", limits},
		{"AuditSink", all["AuditSink"]},
	}
}

func limiting(o client.Object) bool {
	policy, is := o.(*v1alpha1.AccessPolicy)
	return is && (policy.Spec.Ceiling != nil || policy.Spec.Quarantine != nil)
}

func (p *plugin) runDrain(ctx context.Context, d drainage) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	namespace, err := p.scope()
	if err != nil {
		return err
	}
	all := map[string][]client.Object{}
	total := 0
	for _, kind := range kinds() {
		if all[kind], err = listKind(ctx, c, kind, namespace); err != nil {
			return err
		}
		total += len(all[kind])
	}
	if total == 0 {
		p.say("%s", none("agents", namespace))
		return nil
	}
	if err := p.tellDrain(ctx, all, namespace, d.yes); err != nil || !d.yes {
		return err
	}
	until := p.Clock.Now().Add(d.timeout)
	for _, w := range waves(all) {
		if err := p.drainKind(ctx, c, w.kind, w.objects, until); err != nil {
			return err
		}
	}
	p.tell("all gone")
	return nil
}

func listKind(ctx context.Context, c client.Client, kind, namespace string) ([]client.Object, error) {
	list := listOf(kind)
	if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, explain(err, kind, types.NamespacedName{Namespace: namespace})
	}
	objects := make([]client.Object, len(list.Items))
	for i := range list.Items {
		o, err := typed(&list.Items[i])
		if err != nil {
			return nil, err
		}
		objects[i] = o
	}
	return objects, nil
}

// tellDrain says what goes, and who else loses by it.
func (p *plugin) tellDrain(ctx context.Context, all map[string][]client.Object, namespace string, yes bool) error {
	for _, w := range waves(all) {
		for _, o := range w.objects {
			line := fmt.Sprintf("%s %s/%s", w.kind, o.GetNamespace(), o.GetName())
			if key, is := o.(*v1alpha1.AgentAPIKey); is {
				line += fmt.Sprintf("  client %s in Okta: %s", plain(key.Status.ClientID), key.Spec.DeletionPolicy)
			}
			p.tell("%s", line)
		}
	}
	if namespace != "" {
		if err := p.tellLosers(ctx, all["AIAgentRole"], namespace); err != nil {
			return err
		}
		p.tellFreed(all["AccessPolicy"])
	}
	if !yes {
		p.say("nothing was deleted; with --yes all of this is")
	}
	return nil
}

// tellFreed names the policies whose end lets agents and people of other namespaces have more.
func (p *plugin) tellFreed(policies []client.Object) {
	for _, o := range policies {
		policy, is := o.(*v1alpha1.AccessPolicy)
		switch {
		case !is:
		case policy.Spec.Ceiling != nil:
			p.tell("! Ceiling %s/%s limits no namespace any more, where it counted", policy.Namespace, policy.Name)
		case policy.Spec.Quarantine != nil:
			p.tell("! Quarantine %s/%s lets the keys in again that it cuts off: they get new credentials", policy.Namespace, policy.Name)
		}
	}
}

// tellLosers names keys of other namespaces that use a role that goes.
func (p *plugin) tellLosers(ctx context.Context, roles []client.Object, namespace string) error {
	h, err := p.hanging(ctx, true)
	if err != nil {
		return err
	}
	keys := h.keys
	going := map[types.NamespacedName]bool{}
	for _, role := range roles {
		going[client.ObjectKeyFromObject(role)] = true
	}
	for i := range keys {
		if role := reference.RoleOf(&keys[i]); keys[i].Namespace != namespace && going[role] {
			p.tell("! AgentAPIKey %s/%s stays, and loses its role %s", keys[i].Namespace, keys[i].Name, role)
		}
	}
	return nil
}

// drainKind deletes objects of one kind, and waits until the operator has let all go.
func (p *plugin) drainKind(ctx context.Context, c client.WithWatch, kind string, objects []client.Object, until time.Time) error {
	for _, o := range objects {
		if err := p.drainOne(ctx, c, kind, o); err != nil {
			return err
		}
	}
	for _, o := range objects {
		if err := p.awaitGone(ctx, c, kind, client.ObjectKeyFromObject(o), until); err != nil {
			return err
		}
	}
	return nil
}

// drainOne deletes the object that was shown, and none that has come in its place since.
func (p *plugin) drainOne(ctx context.Context, c client.Client, kind string, o client.Object) error {
	at, uid := client.ObjectKeyFromObject(o), o.GetUID()
	if kind == "AgentAPIKey" {
		err := annotate(ctx, c, o, v1alpha1.AnnotationConfirmDeletion, o.GetName())
		if client.IgnoreNotFound(err) != nil {
			return explain(err, kind, at)
		}
	}
	err := c.Delete(ctx, o, client.Preconditions{UID: &uid})
	if apierrors.IsConflict(err) {
		return madeAgain(kind, at)
	}
	if client.IgnoreNotFound(err) != nil {
		return explain(err, kind, at)
	}
	return nil
}

func madeAgain(kind string, at types.NamespacedName) error {
	return fmt.Errorf("%s %s was made again meanwhile: somebody, or Argo CD, applies it", kind, at)
}

func (p *plugin) awaitGone(ctx context.Context, c client.WithWatch, kind string, at types.NamespacedName, until time.Time) error {
	told := newProgress(p, at)
	list := listOf(kind)
	late, err := p.await(ctx, c, list, at, until.Sub(p.Clock.Now()), func(o client.Object) (bool, error) {
		u, exists := o.(*unstructured.Unstructured)
		if !exists {
			return true, nil
		}
		if o.GetDeletionTimestamp().IsZero() {
			return false, madeAgain(kind, at)
		}
		object, err := typed(u)
		if err != nil {
			return false, err
		}
		told.see(readyOf(conditionsOf(object), o.GetGeneration()))
		return false, nil
	})
	if err != nil {
		return err
	}
	if late {
		return timeoutError{fmt.Errorf("%s %s is still being deleted%s", kind, at, told.because())}
	}
	p.tell("%s %s is gone", kind, at)
	return nil
}

func conditionsOf(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.AIAgentRole:
		return o.Status.Conditions
	case *v1alpha1.AgentAPIKey:
		return o.Status.Conditions
	case *v1alpha1.AccessPolicy:
		return o.Status.Conditions
	case *v1alpha1.AuditSink:
		return o.Status.Conditions
	}
	return nil
}
