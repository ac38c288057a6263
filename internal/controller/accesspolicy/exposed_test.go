package accesspolicy

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// TestExposed: a shorter life of tokens does not shorten that of those which were issued.
func TestExposed(t *testing.T) {
	blocked := metav1.NewTime(time.Unix(1_000_000, 0))
	status := func(key string, ends time.Duration) *v1alpha1.QuarantineStatus {
		s := &v1alpha1.QuarantineStatus{Keys: []v1alpha1.KeyReference{{Namespace: "team", Name: v1alpha1.ObjectName(key)}}, NewTokensBlockedAt: &blocked}
		if ends > 0 {
			s.ExposureEndsAt = new(metav1.NewTime(blocked.Add(ends)))
		}
		return s
	}
	for name, tt := range map[string]struct {
		reason string
		before *v1alpha1.QuarantineStatus
		want   time.Duration
	}{
		"First":     {"nothing was said before", nil, 15 * time.Minute},
		"Shortened": {"the later end stays", status("bot", time.Hour), time.Hour},
		"Longer":    {"a longer life counts at once", status("bot", 5*time.Minute), 15 * time.Minute},
		"Others":    {"what was said of other keys does not", status("other", time.Hour), 15 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exposed(tt.before, status("bot", 0), 15*time.Minute); got.Sub(blocked.Time) != tt.want {
				t.Errorf("%s: it ends %s after, want %s", tt.reason, got.Sub(blocked.Time), tt.want)
			}
		})
	}
}
