package detect

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

const granted = "app.oauth2.as.token.grant.access_token"

// facts are what a test says is known.
type facts struct {
	cutOff                      time.Time
	inside, held, own, fromHere Answer
}

func (f facts) CutOff(string) time.Time                        { return f.cutOff }
func (f facts) Inside(*event.Event) Answer                     { return f.inside }
func (f facts) Held(context.Context, string, time.Time) Answer { return f.held }
func (f facts) Own(*event.Event) Answer                        { return f.own }
func (f facts) FromHere(*event.Event) Answer                   { return f.fromHere }
func (f facts) Kept(id string) bool                            { return id == "kept" }

func noon() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) }

// happened is an event of the agent's, or about it.
func happened(kind, result string, i int) *event.Event {
	return &event.Event{
		ID: fmt.Sprintf("e%05d", i), Type: kind, Published: noon().Add(time.Duration(i) * time.Millisecond),
		Outcome: event.Outcome{Result: result}, Actor: event.Party{ID: "client"}, Targets: []event.Party{{ID: "kept"}, {ID: "0oa1", Type: "AppInstance"}},
		Agent: &event.Agent{Object: event.Object{Namespace: "shop", Name: "bot", UID: "u1"}, ClientID: "client", AppID: "0oa1"},
		Raw:   []byte(`{}`),
	}
}

func suspends(r v1alpha1.DetectionRule) v1alpha1.Detection {
	most := int32(5)
	return v1alpha1.Detection{Name: "d", Rule: r, Response: v1alpha1.ResponseSuspend, MaxActionsPerHour: &most, Mode: v1alpha1.ModeAct}
}

func examine(t *testing.T, f Facts, d v1alpha1.Detection, events ...*event.Event) []Finding {
	t.Helper()
	detector, err := New([]v1alpha1.Detection{d}, f)
	if err != nil {
		t.Fatal(err)
	}
	return detector.Examine(t.Context(), noon().Add(time.Minute), events)
}

func TestRules(t *testing.T) {
	const suspend, notify = v1alpha1.ResponseSuspend, v1alpha1.ResponseNotify
	other := facts{own: No, fromHere: No}
	with := func(change func(*facts)) facts { f := other; change(&f); return f }
	self := with(func(f *facts) { f.own = Yes })
	for rule, tc := range map[v1alpha1.DetectionRule]struct {
		kind, result, reason string
		positive, near       facts
		want                 v1alpha1.DetectionResponse
	}{
		v1alpha1.RuleUseAfterSuspension: {
			granted, "SUCCESS", "a token under way at the cut-off is no use after it",
			with(func(f *facts) { f.cutOff = noon().Add(-time.Hour) }), with(func(f *facts) { f.cutOff = noon() }), suspend,
		},
		v1alpha1.RuleUseOutsideZone: {
			granted, "SUCCESS", "a zone whose extent is not known finds nothing",
			with(func(f *facts) { f.inside = No }), with(func(f *facts) { f.inside = Unknown }), suspend,
		},
		v1alpha1.RuleGhostUse: {
			granted, "SUCCESS", "the operator's own trial of a credential is no ghost",
			with(func(f *facts) { f.held = No }), with(func(f *facts) { f.held, f.fromHere = No, Yes }), suspend,
		},
		v1alpha1.RuleForeignCredential:     {"app.oauth2.credentials.lifecycle.create", "SUCCESS", "the operator adds keys", other, self, suspend},
		v1alpha1.RulePrivilegeGranted:      {"app.oauth2.client.privilege.grant", "SUCCESS", "the operator grants roles", other, self, notify},
		v1alpha1.RuleSecretRead:            {"app.oauth2.client.read_client_secret", "SUCCESS", "the operator lists secrets", other, self, suspend},
		v1alpha1.RuleConfigurationTampered: {"policy.rule.update", "SUCCESS", "the operator writes its rules", other, self, notify},
		v1alpha1.RuleOperatorCredentialElsewhere: {
			granted, "SUCCESS", "after a restart it is not known whose request it was", self,
			with(func(f *facts) { f.own, f.fromHere = Yes, Unknown }), notify,
		},
		v1alpha1.RuleAuditBlinded: {"system.log_stream.lifecycle.deactivate", "SUCCESS", "the operator did it", other, self, notify},
		v1alpha1.RuleScopeProbing: {"app.oauth2.as.authorize.scope_denied", "FAILURE", "", other, other, notify},
	} {
		t.Run(string(rule), func(t *testing.T) {
			var flood []*event.Event
			for i := range 10_000 {
				flood = append(flood, happened(tc.kind, tc.result, i))
			}
			for name, events := range map[string][]*event.Event{"one": flood[:1], "flood": flood} {
				got := examine(t, tc.positive, suspends(rule), events...)
				if len(got) != 1 || got[0].Response != tc.want || !cmp.Equal(got[0].Events, []string{"e00000"}) {
					t.Errorf("%s: got %+v, want one %s that cites the event", name, got, tc.want)
				}
			}
			if tc.reason == "" {
				flood[0].Agent = nil
				tc.reason = "it is nobody's that the operator knows"
			}
			if got := examine(t, tc.near, suspends(rule), flood[0]); len(got) != 0 {
				t.Errorf("near miss: got %+v: %s", got, tc.reason)
			}
		})
	}
}

func TestNoResponseToWhatAnybodyCanCause(t *testing.T) {
	d := suspends("")
	d.Expression = "true"
	for _, kind := range []string{"app.oauth2.as.token.grant", "app.oauth2.invalid_client_credentials", "app.oauth2.as.authorize.scope_denied", granted} {
		var flood []*event.Event
		for i := range 10_000 {
			flood = append(flood, happened(kind, "FAILURE", i))
		}
		got := examine(t, facts{own: No, fromHere: No}, d, flood...)
		if len(got) != 1 || got[0].Response != v1alpha1.ResponseNotify || got[0].Withheld == "" {
			t.Errorf("%s: got %+v, want to be told once", kind, got)
		}
	}
}

func TestFloodAddsNothingToThreshold(t *testing.T) {
	d := suspends("")
	d.Expression, d.Threshold = "true", &v1alpha1.Threshold{Count: 2, Within: metav1.Duration{Duration: time.Minute}}
	events := []*event.Event{happened(granted, "SUCCESS", 0)}
	for i := range 100 {
		events = append(events, happened(granted, "FAILURE", i+1))
	}
	for _, f := range examine(t, facts{own: No, fromHere: No}, d, events...) {
		if f.Response != v1alpha1.ResponseNotify {
			t.Errorf("got %+v: one grant is fewer than two", f)
		}
	}
}

func TestExpressionNamed(t *testing.T) {
	_, err := New([]v1alpha1.Detection{{Name: "mine", Expression: "agent.nam == ''"}}, facts{})
	if err == nil || !strings.HasPrefix(err.Error(), "spec.detections[mine].expression: 1:6: ") {
		t.Errorf("got %v, want the field and the place", err)
	}
}

// Neither order nor repetition within a window decides whether it fires.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 60).Draw(t, "ids")
		count := rapid.IntRange(1, 12).Draw(t, "count")
		d := suspends("")
		d.Expression, d.Threshold = "true", &v1alpha1.Threshold{Count: int32(count), Within: metav1.Duration{Duration: time.Minute}}
		detector, err := New([]v1alpha1.Detection{d}, facts{own: No, fromHere: No})
		if err != nil {
			t.Fatal(err)
		}
		distinct, fired := map[int]bool{}, 0
		for _, id := range ids {
			distinct[id] = true
			fired += len(detector.Examine(context.Background(), noon(), []*event.Event{happened(granted, "SUCCESS", id)}))
		}
		if want := len(distinct) >= count; fired > 1 || (fired == 1) != want {
			t.Fatalf("%d findings of %d events at a threshold of %d", fired, len(distinct), count)
		}
	})
}
