// Package inventory counts what there is, for metrics: objects by what their conditions say, and
// credentials by their age. It reads what the cluster's cache holds, and refuses to know how
// anything came to be so.
package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// patience bounds the reading for one scrape.
const patience = 5 * time.Second

// Collector counts at each scrape. No label ever names an object.
type Collector struct {
	reader client.Reader
	clock  clock.PassiveClock

	objects, warnings, ages, rotation *prometheus.Desc
}

var _ prometheus.Collector = (*Collector)(nil)

// New makes a Collector of what the reader, a cache, holds.
func New(reader client.Reader, c clock.PassiveClock) *Collector {
	return &Collector{
		reader: reader, clock: c,
		objects: prometheus.NewDesc("agentidentity_objects",
			"Objects by kind and by the status and reason of their condition Ready; Unknown until the operator has looked at them.",
			[]string{"kind", "ready", "reason"}, nil),
		warnings: prometheus.NewDesc("agentidentity_conditions",
			"Objects of which a condition is True that people should look at, by kind and condition.", []string{"kind", "condition"}, nil),
		ages: prometheus.NewDesc("agentidentity_credential_age_seconds", "Ages of the credentials that keys have now.", nil, nil),
		rotation: prometheus.NewDesc("agentidentity_rotation_next_seconds",
			"Seconds until the first credential of a key that is Ready is due for rotation by age; negative when it is overdue.", nil, nil),
	}
}

// Register registers the collector, in the place of that of an operator before in the same process.
func Register(registerer prometheus.Registerer, c *Collector) error {
	if registerer == nil {
		return nil
	}
	registerer.Unregister(c)
	if err := registerer.Register(c); err != nil {
		return fmt.Errorf("registering metrics of objects: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.objects, c.warnings, c.ages, c.rotation} {
		to <- d
	}
}

// Collect implements prometheus.Collector. While the cache cannot be read nothing is said:
// the process is about to start, or to end.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	counted, err := c.count(ctx)
	if err != nil {
		return
	}
	for k, n := range counted.ready {
		to <- prometheus.MustNewConstMetric(c.objects, prometheus.GaugeValue, float64(n), k.kind, k.ready, k.reason)
	}
	for k, n := range counted.warned {
		to <- prometheus.MustNewConstMetric(c.warnings, prometheus.GaugeValue, float64(n), k.kind, k.condition)
	}
	to <- prometheus.MustNewConstHistogram(c.ages, counted.keys, counted.sum, counted.within)
	if !counted.next.IsZero() {
		to <- prometheus.MustNewConstMetric(c.rotation, prometheus.GaugeValue, counted.next.Sub(c.clock.Now()).Seconds())
	}
}

type readiness struct{ kind, ready, reason string }

type warning struct{ kind, condition string }

// counts are what one look has found.
type counts struct {
	ready  map[readiness]int
	warned map[warning]int
	// within counts ages up to each bound, cumulatively; keys and sum are of all of them.
	within map[float64]uint64
	keys   uint64
	sum    float64
	// next is when the first rotation is due; zero for none.
	next time.Time
}

// bounds are those of ages, in seconds: an hour, a day, a week, 30, 90, 180 and 365 days.
func bounds() []float64 {
	const day = 24 * 3600
	return []float64{3600, day, 7 * day, 30 * day, 90 * day, 180 * day, 365 * day}
}

func (c *Collector) count(ctx context.Context) (*counts, error) {
	n := &counts{ready: map[readiness]int{}, warned: map[warning]int{}, within: map[float64]uint64{}}
	for _, bound := range bounds() {
		n.within[bound] = 0
	}
	var roles v1alpha1.AIAgentRoleList
	var policies v1alpha1.AccessPolicyList
	var sinks v1alpha1.AuditSinkList
	var keys v1alpha1.AgentAPIKeyList
	for _, list := range []client.ObjectList{&roles, &policies, &sinks, &keys} {
		if err := c.reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, errors.Join(errors.New("counting objects"), err)
		}
	}
	for i := range roles.Items {
		n.conditions("AIAgentRole", roles.Items[i].Status.Conditions)
	}
	for i := range policies.Items {
		n.conditions("AccessPolicy", policies.Items[i].Status.Conditions)
	}
	for i := range sinks.Items {
		n.conditions("AuditSink", sinks.Items[i].Status.Conditions)
	}
	for i := range keys.Items {
		n.conditions("AgentAPIKey", keys.Items[i].Status.Conditions)
		n.credential(&keys.Items[i].Status, c.clock.Now())
	}
	return n, nil
}

func (n *counts) conditions(kind string, of []metav1.Condition) {
	r := readiness{kind: kind, ready: string(metav1.ConditionUnknown)}
	if ready := meta.FindStatusCondition(of, v1alpha1.ConditionReady); ready != nil {
		r.ready, r.reason = string(ready.Status), ready.Reason
	}
	n.ready[r]++
	// Ready and what goes on well are True when all is well.
	fine := []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionPermissionsReady,
		v1alpha1.ConditionFactorsEnrolled, v1alpha1.ConditionEffective, v1alpha1.ConditionCaughtUp,
	}
	for _, condition := range of {
		if condition.Status == metav1.ConditionTrue && !slices.Contains(fine, condition.Type) {
			n.warned[warning{kind, condition.Type}]++
		}
	}
}

func (n *counts) credential(of *v1alpha1.AgentAPIKeyStatus, now time.Time) {
	if of.CredentialCreatedAt != nil {
		age := max(0, now.Sub(of.CredentialCreatedAt.Time).Seconds())
		n.keys++
		n.sum += age
		for _, bound := range bounds() {
			if age <= bound {
				n.within[bound]++
			}
		}
	}
	if due := of.NextRotationAt; due != nil && meta.IsStatusConditionTrue(of.Conditions, v1alpha1.ConditionReady) {
		if n.next.IsZero() || due.Time.Before(n.next) {
			n.next = due.Time
		}
	}
}
