package model

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/internal/brake"
	"github.com/agentidentity/agent-identity-operator/internal/controller/accesspolicy"
	"github.com/agentidentity/agent-identity-operator/internal/controller/agentapikey"
	"github.com/agentidentity/agent-identity-operator/internal/controller/aiagentrole"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
	"github.com/agentidentity/agent-identity-operator/internal/tombstone"
	"github.com/agentidentity/agent-identity-operator/internal/workload"
)

const (
	cluster  = "prod"
	orgURL   = "https://example.okta.com"
	audience = "api://ai-agents"
	resync   = 12 * time.Hour
	share    = 50
)

// process is one run of the operator: its memory, and the queue of each controller.
type process struct {
	world       *world
	seam        *seam
	cache       objects
	reconcilers map[string]reconcile.Reconciler
	queue       map[ref]*turn
	// frozen are the objects that the cache has as they were.
	frozen map[ref]*frozen
	// turns counts what was ever queued, so that what came first goes first.
	turns int
	// reconciling tells that the operator is at work, not a person.
	reconciling bool
}

// turn is when an object is to be reconciled next.
type turn struct {
	due   time.Time
	order int
}

// outcome is what came of an object's last reconciliation.
type outcome struct {
	err      error
	failures int
	at       time.Time
}

// startProcess begins with nothing in memory and everything queued.
func (w *world) startProcess() *process {
	p := &process{world: w, seam: &seam{spared: func() bool { return w.calm }}, queue: map[ref]*turn{}, frozen: map[ref]*frozen{}}
	p.cache = cached(w.kube.objects)
	w.kube.changes = nil
	w.outcomes = map[ref]*outcome{}
	p.reconcilers = p.controllers(p.directory())
	if len(w.deaths) > 0 {
		p.seam.countdown, p.seam.after = w.deaths[0].call, w.deaths[0].after
		w.deaths = w.deaths[1:]
	}
	for _, r := range sortedRefs(p.cache) {
		p.wake(r, w.clock.Now())
	}
	return p
}

func (p *process) directory() identity.Directory {
	w := p.world
	wire := &wire{
		org: w.org, seam: p.seam, faults: &w.faults, readings: w.readings,
		struck: w.stir, calm: func() bool { return w.calm }, wrote: w.oktaWritten,
	}
	directory, err := okta.New(okta.Config{
		OrgURL: orgURL, Cluster: cluster, Audience: audience, Share: share, SnapshotLifetime: resync,
		Clock: w.clock, Logger: w.journal.logger(), Base: http.RoundTripper(wire),
		Credentials: func(context.Context) (credential.Credentials, error) {
			return credential.Credentials{APIToken: identity.NewSecret([]byte(w.operatorToken))}, nil
		},
	})
	if err != nil {
		panic(err)
	}
	return directory
}

// controllers mirrors the list in internal/operator.
func (p *process) controllers(directory identity.Directory) map[string]reconcile.Reconciler {
	w := p.world
	indexes := map[string]map[string]client.IndexerFunc{"AgentAPIKey": {
		reference.KeysByRole: reference.IndexKeysByRole, workload.KeysByTarget: workload.IndexKeysByTarget,
	}}
	reads := face{kube: w.kube, view: func() objects { return p.cache }, seam: p.seam, indexes: indexes}
	live := face{kube: w.kube, view: func() objects { return w.kube.objects }, seam: p.seam}
	settings := desired.Settings{Cluster: cluster, TokenLifetime: 15 * time.Minute, AdminResources: adminResources()}
	restraints := restraint.Rules{Reader: reads, Home: ops, Incident: ops}
	policy := &accesspolicy.Controller{
		Client: reads, Live: live, Directory: directory, Recorder: &w.journal, Clock: w.clock, Settings: settings, Resync: resync, Restraints: restraints,
		Apps: accesspolicy.AppGrants{Grants: []accesspolicy.AppGrant{{App: console, Namespaces: namespaces}}},
	}
	role := &aiagentrole.Controller{
		Client: reads, Live: live, Directory: directory, Clients: directory,
		Recorder: &w.journal, Clock: w.clock, Settings: settings, Resync: resync, Restraints: restraints,
	}
	key := &agentapikey.Controller{
		Client: reads, Live: live, Directory: directory, Secrets: &keysecret.Store{Client: reads, Live: live},
		Recorder: &w.journal, Clock: w.clock, Settings: settings, Resync: resync,
		Pods: nobody{}, Brake: brake.New(0), Tombstones: &tombstone.Store{}, Restraints: restraints,
	}
	return map[string]reconcile.Reconciler{
		"AIAgentRole": role.Reconciler(), "AgentAPIKey": key.Reconciler(), "AccessPolicy": policy.Reconciler(),
	}
}

// cached is what the operator's cache shows: of Secrets those with its label only.
func cached(all objects) objects {
	view := make(objects, len(all))
	for r, obj := range all {
		if _, labelled := obj.GetLabels()[keysecret.LabelPart]; r.kind != "Secret" || labelled {
			view[r] = obj
		}
	}
	return view
}

// catchUp lets the watches tell what has changed.
func (p *process) catchUp() {
	p.thaw()
	changes := p.world.kube.changes
	p.world.kube.changes = nil
	for _, c := range changes {
		p.tell(c)
	}
}

// wake queues an object; an earlier turn it has already stays.
func (p *process) wake(r ref, due time.Time) {
	if p.reconcilers[r.kind] == nil {
		return
	}
	if have := p.queue[r]; have != nil && !due.Before(have.due) {
		return
	}
	p.turns++
	p.queue[r] = &turn{due: due, order: p.turns}
}

// next is the object whose turn comes first, of those that matter.
func (p *process) next(matters func(r ref, due time.Time) bool) (ref, time.Time) {
	var first ref
	var best *turn
	for r, t := range p.queue {
		if !matters(r, t.due) {
			continue
		}
		if best == nil || t.due.Before(best.due) || t.due.Equal(best.due) && p.before(t, best) {
			first, best = r, t
		}
	}
	if best == nil {
		return ref{}, time.Time{}
	}
	return first, best.due
}

// before orders turns that are due together. Workers would take them in any order,
// so every sequence has one of its own.
func (p *process) before(a, b *turn) bool {
	if p.world.lastFirst {
		return a.order > b.order
	}
	return a.order < b.order
}

// reconcile takes one turn, as the queue of a controller would.
func (p *process) reconcile(r ref) {
	w := p.world
	p.catchUp()
	if r.kind == watchTurn {
		return
	}
	delete(p.queue, r)
	w.reconciles++
	now := w.clock.Now()
	logger := w.journal.logger()
	ctx := logr.NewContext(context.Background(), logger)
	p.reconciling = true
	result, err := p.reconcilers[r.kind].Reconcile(ctx, ctrl.Request{NamespacedName: r.key()})
	p.reconciling = false
	if p.seam.dead {
		return
	}
	o := w.outcomes[r]
	if o == nil {
		o = &outcome{}
		w.outcomes[r] = o
	}
	o.err, o.at = err, now
	w.trace(fmt.Sprintf("%s reconciled %s: %v, error %v", now.Format("Jan 02 15:04:05"), r, result.RequeueAfter, err))
	switch {
	case err != nil:
		logger.Error(err, "Reconciler error", "object", r.String())
		w.activity = now
		p.wake(r, now.Add(backoff(o.failures)))
		o.failures++
	case result.RequeueAfter > 0:
		o.failures = 0
		p.wake(r, now.Add(result.RequeueAfter))
	default:
		o.failures = 0
	}
}

// backoff is that of lifecycle.Backoff.
func backoff(failures int) time.Duration {
	return min(time.Second<<min(failures, 10), time.Minute)
}

// nobody runs with any Secret.
type nobody struct{}

func (nobody) Holders(context.Context, string, workload.Use, time.Time) ([]string, error) {
	return nil, nil
}
