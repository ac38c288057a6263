package identity

import "testing"

// TestUrgently holds that a call that goes before others is still made for whom it is made.
func TestUrgently(t *testing.T) {
	caller := Caller{Namespace: "team", Kind: "AgentAPIKey", Name: "bot"}
	want := caller
	want.Urgency = Revocation
	if got := CallerFrom(Urgently(WithCaller(t.Context(), caller))); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := CallerFrom(Urgently(t.Context())); got != (Caller{Urgency: Revocation}) {
		t.Errorf("nobody's: got %+v", got)
	}
}
