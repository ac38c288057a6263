package plugin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// rotation is what the flags ask for.
type rotation struct {
	wait    bool
	timeout time.Duration
}

func (p *plugin) keysRotate() *cobra.Command {
	var r rotation
	c := &cobra.Command{
		Use:   "rotate NAME...",
		Short: "Replace the credentials of keys",
		Long: `Replace the credentials of keys. The earlier credential works on for the key's
rotation.overlap, so agents that read their Secret anew notice nothing.

It puts the annotation ` + v1alpha1.AnnotationRotate + ` on the key. With --wait it ends when the
new credential is in the Secret and works; exit code 3 when that takes longer than --timeout,
with what the operator says is in its way. The request stands then: it is not asked for again.`,
		Example: `  kubectl agentid keys rotate chatbot -n chatbot --wait
  kubectl agentid keys rotate $(kubectl agentid keys get -n chatbot -o name)`,
		Args:              atLeastOneKey,
		ValidArgsFunction: p.completeKeys,
		RunE:              func(c *cobra.Command, args []string) error { return p.runRotate(c.Context(), args, r) },
	}
	c.Flags().BoolVar(&r.wait, "wait", false, "wait until the new credential works")
	c.Flags().DurationVar(&r.timeout, "timeout", 2*time.Minute, "how long to wait for each key")
	return c
}

// runRotate asks for all first, so that they are replaced side by side.
func (p *plugin) runRotate(ctx context.Context, names []string, r rotation) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	keys, err := p.keysNamed(names)
	if err != nil {
		return err
	}
	asked := map[types.NamespacedName]string{}
	var failed []error
	for _, at := range keys {
		token, err := p.askForRotation(ctx, c, at)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		asked[at] = token
		p.say("%s: a new credential is asked for", at)
	}
	if r.wait {
		failed = append(failed, p.awaitRotations(ctx, c, keys, asked, r.timeout)...)
	}
	return errors.Join(failed...)
}

// askForRotation puts a value on the key that it never had.
func (p *plugin) askForRotation(ctx context.Context, c client.Client, at types.NamespacedName) (string, error) {
	token := p.Clock.Now().UTC().Format("20060102T150405Z") + "-" + rand.Text()[:8]
	key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: at.Namespace, Name: at.Name}}
	if err := annotate(ctx, c, key, v1alpha1.AnnotationRotate, token); err != nil {
		return "", explain(err, "AgentAPIKey", at)
	}
	return token, nil
}

func (p *plugin) awaitRotations(
	ctx context.Context, c client.WithWatch, keys []types.NamespacedName, asked map[types.NamespacedName]string, patience time.Duration,
) []error {
	var failed []error
	for _, at := range keys {
		token, waited := asked[at]
		if !waited || ctx.Err() != nil {
			continue
		}
		if err := p.awaitRotation(ctx, c, at, token, patience); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// awaitRotation watches the key until its new credential works, and tells what happens.
func (p *plugin) awaitRotation(
	ctx context.Context, c client.WithWatch, at types.NamespacedName, token string, patience time.Duration,
) error {
	told := newProgress(p, at)
	var keyID string
	late, err := p.await(ctx, c, &v1alpha1.AgentAPIKeyList{}, at, patience, func(o client.Object) (bool, error) {
		key, exists := o.(*v1alpha1.AgentAPIKey)
		if !exists {
			return false, fmt.Errorf("%s was deleted while its new credential was waited for", at)
		}
		if now := key.Annotations[v1alpha1.AnnotationRotate]; now != token {
			return false, fmt.Errorf("somebody else asked for another credential of %s meanwhile (%s is %q): wait for theirs",
				at, v1alpha1.AnnotationRotate, now)
		}
		ready := readyOf(key.Status.Conditions, key.Generation)
		keyID = key.Status.KeyID
		if key.Status.RotateRequest == token && ready.Status == metav1.ConditionTrue {
			return true, nil
		}
		if ready.Status != metav1.ConditionTrue {
			told.see(ready)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if late {
		return timeoutError{fmt.Errorf("%s has no new credential after %s%s; the request stands", at, patience, told.because())}
	}
	p.tell("%s: the new credential %s works and is in the Secret", at, keyID)
	return nil
}

// progress tells each thing that an object says of itself once.
type progress struct {
	p    *plugin
	at   types.NamespacedName
	last metav1.Condition
}

func newProgress(p *plugin, at types.NamespacedName) *progress { return &progress{p: p, at: at} }

func (t *progress) see(ready metav1.Condition) {
	if ready.Reason == t.last.Reason && ready.Message == t.last.Message {
		return
	}
	t.last = ready
	t.p.say("%s: %s: %s", t.at, ready.Reason, ready.Message)
}

// because is what it said last.
func (t *progress) because() string {
	if t.last.Reason == "" || t.last.Reason == reasonNotSeen {
		return ": the operator has not taken it up; does it run?"
	}
	return fmt.Sprintf(": %s: %s", t.last.Reason, t.last.Message)
}
