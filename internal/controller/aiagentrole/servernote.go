package aiagentrole

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// annotationServer of a role is when a process was about to create the operator's
// authorization server for it. Okta does not refuse a second one of the same name, so a
// process that finds none must know that there may be one.
const annotationServer = "agentidentity.dev/server-requested-at"

// serverNotes are the notes of that kind that a process knows of.
type serverNotes struct {
	// own are those this process has written: what became of its own requests the
	// directory knows.
	own map[string]bool
	// last is when this process has written the latest of them.
	last time.Time
	// other is the latest of other processes, kept when the role it was read from goes.
	other time.Time
}

// read takes in the note of a role, if it has one that is not our own.
func (n *serverNotes) read(role *v1alpha1.AIAgentRole) {
	note := role.Annotations[annotationServer]
	if n.own[note] {
		return
	}
	// What does not parse, none of us has written.
	if at, err := time.Parse(time.RFC3339Nano, note); err == nil && at.After(n.other) {
		n.other = at
	}
}

// serverRequested tells when another process was last about to create the server. It goes by
// the cache, which has the namespaces that the operator serves and no others.
func (c *Controller) serverRequested(ctx context.Context) (time.Time, error) {
	var roles v1alpha1.AIAgentRoleList
	if err := c.Client.List(ctx, &roles, client.UnsafeDisableDeepCopy); err != nil {
		return time.Time{}, fmt.Errorf("listing roles for notes of the authorization server: %w", err)
	}
	for i := range roles.Items {
		c.notes.read(&roles.Items[i])
	}
	return c.notes.other, nil
}

// noteServer writes down that the server is about to be created, unless that was done a
// moment ago. When somebody has changed the role meanwhile, the write is refused and
// nothing is created.
func (c *Controller) noteServer(ctx context.Context, role *v1alpha1.AIAgentRole) error {
	now := c.Clock.Now().UTC()
	if age := now.Sub(c.notes.last); age >= 0 && age < plan.NoteReused {
		return nil
	}
	noted, note := role.DeepCopy(), now.Format(time.RFC3339Nano)
	if noted.Annotations == nil {
		noted.Annotations = map[string]string{}
	}
	noted.Annotations[annotationServer] = note
	if c.notes.own == nil {
		c.notes.own = map[string]bool{}
	}
	c.notes.own[note] = true
	patch := client.MergeFromWithOptions(role, client.MergeFromWithOptimisticLock{})
	if err := c.Client.Patch(ctx, noted, patch); err != nil {
		return fmt.Errorf("writing down that the authorization server is about to be created: %w", err)
	}
	c.notes.last = now
	return nil
}
