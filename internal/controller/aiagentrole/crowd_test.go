package aiagentrole

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestPace(t *testing.T) {
	role := types.NamespacedName{Namespace: "ns", Name: "chat"}
	tests := map[string]struct {
		reason string
		saw    []int
		want   time.Duration
	}{
		"New":      {reason: "one that was never looked at looks at once", want: 0},
		"Few":      {reason: "to look at few costs little", saw: []int{99}, want: 0},
		"Crowd":    {reason: "it goes by the keys", saw: []int{100}, want: 10 * time.Millisecond},
		"Grown":    {reason: "as the last look saw them", saw: []int{100, 3000}, want: 300 * time.Millisecond},
		"Huge":     {reason: "no key waits longer than a second", saw: []int{50000}, want: time.Second},
		"Shrunken": {reason: "one that has lost its crowd", saw: []int{3000, 99}, want: 0},
		"Gone":     {reason: "or is no more", saw: []int{3000, 0}, want: 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var c crowds
			for _, keys := range tc.saw {
				c.saw(role, keys)
			}
			if got := c.pace(t.Context(), reconcile.Request{NamespacedName: role}); got != tc.want {
				t.Errorf("%s: %v, want %v", tc.reason, got, tc.want)
			}
			if len(c.keys) > 0 && tc.want == 0 {
				t.Errorf("%s: it is still remembered", tc.reason)
			}
		})
	}
}
