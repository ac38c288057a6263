package reference

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// TestTermsChanged: what every key of a role must look at wakes them all; what it is to have
// another key, or people, does not.
func TestTermsChanged(t *testing.T) {
	standing := []metav1.Condition{{Type: v1alpha1.ConditionPermissionsReady, Status: metav1.ConditionTrue}}
	before := func() *v1alpha1.AIAgentRole {
		return &v1alpha1.AIAgentRole{
			ObjectMeta: metav1.ObjectMeta{UID: "1", Generation: 1},
			Status: v1alpha1.AIAgentRoleStatus{
				AppliedRevision: Revision([]string{"chat"}, []string{"aik-1"}), Issuer: "https://a", Conditions: standing,
				ObservedGeneration: 1,
			},
		}
	}
	for name, tc := range map[string]struct {
		change func(*v1alpha1.AIAgentRole)
		want   bool
	}{
		"another key": {func(r *v1alpha1.AIAgentRole) {
			r.Status.AppliedRevision = Revision([]string{"chat"}, []string{"aik-1", "aik-2"})
		}, false},
		"people":   {func(r *v1alpha1.AIAgentRole) { r.Status.Members = []v1alpha1.MemberStatus{{Login: "ada"}} }, false},
		"its keys": {func(r *v1alpha1.AIAgentRole) { r.Status.Keys = new(int32(2)) }, false},
		"permissions": {func(r *v1alpha1.AIAgentRole) {
			r.Status.AppliedRevision = Revision([]string{"call"}, []string{"aik-1"})
		}, true},
		"looked at": {func(r *v1alpha1.AIAgentRole) { r.Status.ObservedGeneration = 0 }, true},
		"spec":      {func(r *v1alpha1.AIAgentRole) { r.Generation = 2 }, true},
		"issuer":    {func(r *v1alpha1.AIAgentRole) { r.Status.Issuer = "https://b" }, true},
		"not standing": {func(r *v1alpha1.AIAgentRole) {
			r.Status.Conditions = nil
		}, true},
		"deleted":  {func(r *v1alpha1.AIAgentRole) { r.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }, true},
		"replaced": {func(r *v1alpha1.AIAgentRole) { r.UID = "2" }, true},
	} {
		after := before()
		tc.change(after)
		if got := TermsChanged(before(), after); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// TestKeyChanged: what a key reports of itself is no news to those who look at many.
func TestKeyChanged(t *testing.T) {
	ready := func(generation int64) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: generation}}
	}
	before := func() *v1alpha1.AgentAPIKey {
		return &v1alpha1.AgentAPIKey{
			ObjectMeta: metav1.ObjectMeta{UID: "1", Generation: 1, Labels: map[string]string{"team": "a"}},
			Status:     v1alpha1.AgentAPIKeyStatus{ClientID: "aik-1", AppID: "0oa1"},
		}
	}
	for name, tc := range map[string]struct {
		change        func(*v1alpha1.AgentAPIKey)
		want, settled bool
	}{
		"nothing":      {func(*v1alpha1.AgentAPIKey) {}, false, false},
		"ready":        {func(k *v1alpha1.AgentAPIKey) { k.Status.Conditions = ready(1) }, false, true},
		"ready before": {func(k *v1alpha1.AgentAPIKey) { k.Generation, k.Status.Conditions = 2, ready(1) }, true, false},
		"labels":       {func(k *v1alpha1.AgentAPIKey) { k.Labels["team"] = "b" }, true, false},
		"app":          {func(k *v1alpha1.AgentAPIKey) { k.Status.AppID = "0oa2" }, true, false},
		"client":       {func(k *v1alpha1.AgentAPIKey) { k.Status.ClientID = "aik-2" }, true, false},
		"being deleted": {func(k *v1alpha1.AgentAPIKey) {
			k.DeletionTimestamp, k.Status.Conditions = &metav1.Time{Time: time.Unix(1, 0)}, ready(1)
		}, true, false},
		"another one": {func(k *v1alpha1.AgentAPIKey) { k.UID, k.Status.Conditions = "2", ready(1) }, true, true},
	} {
		after := before()
		tc.change(after)
		if got := KeyChanged(before(), after); got != tc.want {
			t.Errorf("%s: changed %v, want %v", name, got, tc.want)
		}
		if got := Halfway(after); got == tc.settled {
			t.Errorf("%s: halfway %v, want %v", name, got, !tc.settled)
		}
	}
}
