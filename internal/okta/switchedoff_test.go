package okta_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestSwitchedOffIsRespected holds that a policy that a person has switched off in Okta stays
// so, also for a process that has never seen it, and that switched on it is kept again.
func TestSwitchedOffIsRespected(t *testing.T) {
	for kind, test := range map[string]struct {
		classic bool
		put     func(d *okta.Directory, group string) (string, error)
	}{
		"OKTA_SIGN_ON": {true, func(d *okta.Directory, group string) (string, error) {
			id, _, err := d.PutSignOn(t.Context(), signOn(group))
			return id, err
		}},
		"ACCESS_POLICY": {false, func(d *okta.Directory, group string) (string, error) {
			return d.PutSignIn(t.Context(), identity.SignIn{
				Mark: signOn("").Mark, Name: "k8s/test/a/p", Rules: []identity.SignInRule{{Name: "all", Groups: []string{group}}},
			})
		}},
		"MFA_ENROLL": {false, func(d *okta.Directory, group string) (string, error) {
			return d.PutEnrollment(t.Context(), identity.Enrollment{
				Mark: signOn("").Mark, Name: "k8s/test/a/p", Group: group, Required: []identity.FactorKind{identity.FactorPush},
			})
		}},
	} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{Classic: test.classic})
			must(t, w.org.SetAuthenticators("okta_password", "okta_email", "okta_verify"))
			group := w.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": "g"}})["id"].(string)
			d := w.open()
			id, err := test.put(d, group)
			must(t, err)
			w.send(http.MethodPost, "/api/v1/policies/"+id+"/lifecycle/deactivate")
			w.clock.Step(time.Hour)
			off := w.state()
			for _, by := range []*okta.Directory{d, d, w.open()} {
				again, err := test.put(by, group)
				var refused *identity.Error
				if !errors.As(err, &refused) || refused.Kind != identity.Rejected || refused.Reason != identity.ReasonDeactivatedInDirectory ||
					!strings.Contains(refused.Message, kind) || !strings.Contains(refused.Message, id) {
					t.Errorf("it does not say that it is switched off: %v", err)
				}
				if diff := cmp.Diff(off, w.state()); diff != "" || again != id {
					t.Errorf("it is not left alone (-want +got):\n%s", diff)
				}
			}
			w.send(http.MethodPost, "/api/v1/policies/"+id+"/lifecycle/activate")
			_, err = test.put(d, group)
			must(t, err)
		})
	}
}

// TestOwnCreationIsFinished holds that a sign-on policy that the operator made inactive is
// switched on, whichever of the calls in between it was that a process died of; and that no
// trace of that is left, by which a person's deed would be undone later.
func TestOwnCreationIsFinished(t *testing.T) {
	long := signOn("")
	long.Mark.Namespace, long.Mark.Name = strings.Repeat("n", 63), strings.Repeat("p", 120)
	for name, mark := range map[string]identity.Mark{"short": signOn("").Mark, "long": long.Mark} {
		for died := 1; died <= 5; died++ {
			t.Run(fmt.Sprintf("%s name, call %d", name, died), func(t *testing.T) {
				w := newWorld(t, oktasim.Options{Classic: true})
				group := w.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": "g"}})["id"].(string)
				want := signOn(group)
				want.Mark = mark
				w.org.Inject(oktasim.Fault{Path: "^/api/v1/policies", Method: http.MethodPost, Nth: died, Times: 1 << 20, Action: oktasim.Status(500, "E0000009")})
				w.org.Inject(oktasim.Fault{Path: "^/api/v1/policies", Method: http.MethodPut, Action: oktasim.Status(500, "E0000009")})
				if _, _, err := w.open().PutSignOn(t.Context(), want); err == nil {
					t.Fatal("nothing went wrong")
				}
				w.org.ClearFaults()
				w.clock.Step(time.Hour)
				id, _, err := w.open().PutSignOn(t.Context(), want)
				must(t, err)
				made := 0
				for _, p := range w.org.Snapshot().OrgPolicies {
					if p.System {
						continue
					}
					if made++; p.Status != "ACTIVE" || strings.Contains(p.Description, "state=") || p.ID != id {
						t.Errorf("the policy is %+v", p)
					}
				}
				if made != 1 || len(w.signOnRules()) != 2 {
					t.Errorf("there are %d policies with %d rules", made, len(w.signOnRules()))
				}
			})
		}
	}
}
