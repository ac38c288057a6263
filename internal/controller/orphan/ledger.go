package orphan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/orphanlist"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

const (
	// The most that is listed: a ConfigMap takes 1 MiB, the longest entry is 2 KiB. What
	// is not listed waits, for its history is not written down either.
	maxOrphans    = 300
	maxTombstones = 150
)

// newDocument lists what a plan is about, the oldest first.
func newDocument(p plan.OrphanPlan, rules plan.OrphanRules) orphanlist.List {
	d := orphanlist.List{Policy: rules.Policy, Held: p.Held, Orphans: []orphanlist.Entry{}}
	for _, step := range p.Steps {
		if step.Mark.IsZero() {
			d.Tombstones = append(d.Tombstones, newEntry(step))
			continue
		}
		d.Orphans = append(d.Orphans, newEntry(step))
	}
	slices.SortStableFunc(d.Orphans, func(a, b orphanlist.Entry) int {
		return cmp.Or(unix(a.FirstSeen)-unix(b.FirstSeen), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.ClientID, b.ClientID))
	})
	d.NotListed = max(0, len(d.Orphans)-maxOrphans) + max(0, len(d.Tombstones)-maxTombstones)
	d.Orphans = d.Orphans[:min(len(d.Orphans), maxOrphans)]
	d.Tombstones = d.Tombstones[:min(len(d.Tombstones), maxTombstones)]
	return d
}

func newEntry(step plan.OrphanStep) orphanlist.Entry {
	e := orphanlist.Entry{
		Owner: owner(step), ClientID: clientID(step), State: step.State, Plan: step.Reason, Mark: subject(step).String(),
		FirstSeen:    timeOf(step.History.FirstSeen),
		Deactivating: timeOf(step.History.Deactivating), Deactivated: timeOf(step.History.Deactivated),
	}
	if step.Verb != plan.ReportOrphan {
		e.Plan = string(step.Verb) + ": " + step.Reason
	}
	if step.Client != nil {
		e.AppID = step.Client.ID
	}
	if t := step.Tombstone; t != nil {
		e.Why, e.Since = t.Why, timeOf(t.Since)
		e.AppID = cmp.Or(e.AppID, t.AppID)
	}
	return e
}

// history is what the list remembers.
func history(d orphanlist.List) map[plan.OrphanID]plan.OrphanHistory {
	all := map[plan.OrphanID]plan.OrphanHistory{}
	for _, e := range d.Orphans {
		if mark, ok := identity.ParseMark(e.Mark); ok {
			all[plan.OrphanID{Mark: mark, ClientID: e.ClientID}] = plan.OrphanHistory{
				FirstSeen: from(e.FirstSeen), Deactivating: from(e.Deactivating), Deactivated: from(e.Deactivated),
			}
		}
	}
	return all
}

// unknown tells the orphans that the list does not have.
func unknown(d orphanlist.List) func(plan.OrphanStep) bool {
	listed := map[plan.OrphanID]bool{}
	for id := range history(d) {
		listed[id] = true
	}
	return func(step plan.OrphanStep) bool { return !step.Mark.IsZero() && !listed[step.OrphanID] }
}

func timeOf(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.UTC()}
}

func from(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func unix(t *metav1.Time) int { return int(from(t).Unix()) }

// ledger keeps the list: in the ConfigMap, or only in memory.
type ledger struct {
	live      client.Reader
	client    client.Writer
	namespace string
	// held is what was read or written last.
	held *corev1.ConfigMap
}

// read gives the list of the last sweep, of whichever process; empty when there is none.
// One that cannot be understood is none: then every grace begins anew.
func (l *ledger) read(ctx context.Context) (orphanlist.List, error) {
	if l.namespace != "" {
		l.held = &corev1.ConfigMap{}
		err := l.live.Get(ctx, client.ObjectKey{Namespace: l.namespace, Name: orphanlist.Name}, l.held)
		if apierrors.IsNotFound(err) {
			l.held = nil
		} else if err != nil {
			return orphanlist.List{}, fmt.Errorf("reading ConfigMap %s/%s: %w", l.namespace, orphanlist.Name, err)
		}
	}
	if l.held == nil {
		return orphanlist.List{}, nil
	}
	d, err := orphanlist.Read(l.held.Data[orphanlist.Key])
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "the list of orphans is begun anew")
		return orphanlist.List{}, nil
	}
	return d, nil
}

// write writes the list if it has changed. Its resource version makes a change by
// somebody else in between a conflict.
func (l *ledger) write(ctx context.Context, d orphanlist.List) error {
	text, err := d.Text()
	if err != nil {
		return err
	}
	next := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: l.namespace, Name: orphanlist.Name,
		Labels: map[string]string{"app.kubernetes.io/managed-by": "agent-identity-operator"},
	}}
	save := func() error { return l.client.Create(ctx, next) }
	if l.held != nil {
		next = l.held.DeepCopy()
		save = func() error { return l.client.Update(ctx, next) }
	}
	next.Data = map[string]string{orphanlist.Key: text}
	if l.held != nil && l.held.Data[orphanlist.Key] == next.Data[orphanlist.Key] {
		return nil
	}
	if l.namespace != "" {
		if err := save(); err != nil {
			return fmt.Errorf("writing ConfigMap %s/%s: %w", l.namespace, orphanlist.Name, err)
		}
	}
	l.held = next
	return nil
}
