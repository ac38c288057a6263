package workload

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

func secret(name, revision string, after time.Duration) Secret {
	return Secret{Name: name, Revision: revision, Changed: changed.Add(after)}
}

func rotating(s Secret) Secret {
	s.Rotating = true
	return s
}

func TestDecide(t *testing.T) {
	old := changed.Add(-24 * time.Hour)
	nothing := Decision{Reason: "its pods were started after every change of its Secrets"}
	restart := func(names, revisions string) Decision {
		return Decision{Restart: true, Revisions: revisions, Reason: "its pods were started before Secret " + names + " changed"}
	}
	moment := func(names string, wait time.Duration) Decision {
		return Decision{Wait: wait, Reason: "Secret " + names + " changed a moment ago, and others may follow"}
	}
	tests := map[string]struct {
		reason  string
		seen    Seen
		secrets []Secret
		now     time.Duration
		want    Decision
	}{
		"FirstPublication": {
			reason: "pods wait for a Secret that is missing: the first publication restarts nothing",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "1", 0)}, now: time.Hour, want: nothing,
		},
		"FirstOfASecondKey": {
			reason: "nor does that of another key, when the workload was restarted before",
			seen:   Seen{Created: old, Revisions: `{"a":"2"}`}, secrets: []Secret{secret("a", "2", 0), secret("b", "1", 0)},
			now: time.Hour, want: nothing,
		},
		"Changed": {
			reason: "each change is followed by a restart",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "2", 0)}, now: 10 * time.Second,
			want: restart("a", `{"a":"2"}`),
		},
		"ChangedAgain": {
			reason: "also the next one",
			seen:   Seen{Created: old, Revisions: `{"a":"2"}`}, secrets: []Secret{secret("a", "3", 0)}, now: time.Hour,
			want: restart("a", `{"a":"3"}`),
		},
		"Done": {
			reason: "the decision about its own result is to do nothing",
			seen:   Seen{Created: old, Revisions: `{"a":"3"}`}, secrets: []Secret{secret("a", "3", 0)}, now: time.Hour, want: nothing,
		},
		"Together": {
			reason: "one restart is enough for all that changed, and writes down those that did not",
			seen:   Seen{Created: old, Revisions: `{"a":"2"}`},
			secrets: []Secret{
				secret("b", "2", 0), secret("a", "3", 0), secret("c", "1", 0),
			},
			now: time.Hour, want: restart("b, a", `{"a":"3","b":"2","c":"1"}`),
		},
		"NewerWorkload": {
			reason: "a workload made after the change has no pod from before it",
			seen:   Seen{Created: changed.Add(time.Minute)}, secrets: []Secret{secret("a", "7", 0)}, now: time.Hour, want: nothing,
		},
		"HardlyNewerWorkload": {
			reason: "one made a moment after may have been made before: the API server's clock is not the operator's",
			seen:   Seen{Created: changed.Add(4 * time.Second)}, secrets: []Secret{secret("a", "7", 0)}, now: time.Hour,
			want: restart("a", `{"a":"7"}`),
		},
		"NewerWorkloadThenChanged": {
			reason: "until the Secret changes again",
			seen:   Seen{Created: changed.Add(time.Minute)}, secrets: []Secret{secret("a", "8", time.Hour)}, now: 2 * time.Hour,
			want: restart("a", `{"a":"8"}`),
		},
		"UnknownTime": {
			reason: "a change at an unknown time may have been after the workload was made",
			seen:   Seen{Created: old}, secrets: []Secret{{Name: "a", Revision: "2"}}, now: time.Hour, want: restart("a", `{"a":"2"}`),
		},
		"KeyGone": {
			reason: "a Secret that no key names any more is no reason to restart",
			seen:   Seen{Created: old, Revisions: `{"a":"2","b":"2"}`}, secrets: []Secret{secret("a", "2", 0)}, now: time.Hour, want: nothing,
		},
		"KeyMadeAnew": {
			reason: "pods still have the credential of the key before it, which is no good any more",
			seen:   Seen{Created: old, Revisions: `{"a":"4"}`}, secrets: []Secret{secret("a", "1", 0)}, now: time.Hour,
			want: restart("a", `{"a":"1"}`),
		},
		"Edited": {
			reason: "an annotation that cannot be read says nothing",
			seen:   Seen{Created: old, Revisions: `2`}, secrets: []Secret{secret("a", "2", 0)}, now: time.Hour,
			want: restart("a", `{"a":"2"}`),
		},
		"EditedAndFirst": {
			reason: "and is no reason by itself",
			seen:   Seen{Created: old, Revisions: `{"a":`}, secrets: []Secret{secret("a", "1", 0)}, now: time.Hour, want: nothing,
		},
		"Settling": {
			reason: "others may change in the same moment",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "2", 0)}, now: 3 * time.Second, want: moment("a", 7*time.Second),
		},
		"SettlingAnew": {
			reason: "the latest change counts",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "2", 0), secret("b", "2", 15*time.Second)}, now: 20 * time.Second,
			want: moment("a, b", 5*time.Second),
		},
		"SettledFirst": {
			reason: "a first publication just now is not waited for",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "2", 0), secret("b", "1", 15*time.Second)}, now: 20 * time.Second,
			want: restart("a", `{"a":"2","b":"1"}`),
		},
		"OtherRotating": {
			reason: "a rotation under way will change its Secret, and one restart does for both",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "2", 0), rotating(secret("b", "1", -time.Hour))}, now: time.Minute,
			want: Decision{Wait: 10 * time.Second, Reason: "Secret b is about to change"},
		},
		"RotatingTooLong": {
			reason: "but not for ever: it may be stuck",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "2", 0), rotating(secret("b", "1", -time.Hour))}, now: 2 * time.Minute,
			want: restart("a", `{"a":"2","b":"1"}`),
		},
		"ChangesTooLong": {
			reason: "nor for a row of changes: two minutes from the first are the limit",
			seen:   Seen{Created: old}, secrets: []Secret{secret("a", "2", 0), secret("b", "2", 119*time.Second)}, now: 119 * time.Second,
			want: moment("a, b", time.Second),
		},
		"RotatingOnly": {
			reason: "a rotation under way is no reason before it has published",
			seen:   Seen{Created: old}, secrets: []Secret{rotating(secret("a", "1", 0))}, now: time.Hour, want: nothing,
		},
		"NoSecrets": {
			reason: "nothing published, nothing to read",
			seen:   Seen{Created: old, Revisions: `{"a":"4"}`}, now: time.Hour, want: nothing,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := Decide(tc.seen, tc.secrets, changed.Add(tc.now))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if !got.Restart {
				return
			}
			after := Seen{Created: tc.seen.Created, Revisions: got.Revisions}
			if again := Decide(after, tc.secrets, changed.Add(tc.now)); again.Restart || again.Wait > 0 {
				t.Errorf("%s: after the restart there is still something to do: %+v", tc.reason, again)
			}
		})
	}
}

func TestIndexKeysByTarget(t *testing.T) {
	targets := []v1alpha1.RestartTarget{{Kind: "Deployment", Name: "chat"}, {Kind: "DaemonSet", Name: "chat"}}
	key := &v1alpha1.AgentAPIKey{Spec: v1alpha1.AgentAPIKeySpec{RestartTargets: targets}}
	if diff := cmp.Diff([]string{TargetIndex(targets[0]), "DaemonSet/chat"}, IndexKeysByTarget(key)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := IndexKeysByTarget(&v1alpha1.AIAgentRole{}); got != nil {
		t.Errorf("a role names no workloads, got %v", got)
	}
}
