package okta_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// door is an org with people in two groups and an app that they sign in to, in whichever way
// its engine has.
type door struct {
	*world
	classic bool
	// groups and zones are ids; the zones overlap.
	groups, zones []string
	app           string
	// written is called after each write of the operator.
	written func(method, path string)
}

func newDoor(t *testing.T, classic bool) *door {
	t.Helper()
	d := &door{world: newWorld(t, oktasim.Options{Classic: classic}), classic: classic, written: func(string, string) {}}
	must(t, d.org.SetAuthenticators("okta_password", "okta_email", "okta_verify"))
	for _, login := range []string{"ada", "gus", "bob"} {
		id := d.org.AddUser(login + "@example.com")
		d.post("/api/v1/users/"+id+"/factors", map[string]any{"factorType": "push", "provider": "OKTA"})
		must(t, d.org.CompletePush(login+"@example.com"))
		if login != "bob" {
			group := d.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": login}})["id"].(string)
			d.groups = append(d.groups, group)
			d.send(http.MethodPut, "/api/v1/groups/"+group+"/users/"+id)
		}
	}
	for _, gateway := range [][2]string{{"CIDR", "203.0.113.0/24"}, {"RANGE", "203.0.113.128-203.0.114.255"}} {
		d.zones = append(d.zones, d.post("/api/v1/zones", map[string]any{
			"type": "IP", "name": gateway[0], "gateways": []any{map[string]any{"type": gateway[0], "value": gateway[1]}},
		})["id"].(string))
	}
	d.app = d.post("/api/v1/apps", map[string]any{
		"name": "oidc_client", "label": "console", "signOnMode": "OPENID_CONNECT",
		"credentials": map[string]any{"oauthClient": map[string]any{"token_endpoint_auth_method": "client_secret_basic"}},
		"settings": map[string]any{"oauthClient": map[string]any{
			"application_type": "web", "grant_types": []string{"authorization_code"}, "response_types": []string{"code"},
			"redirect_uris": []string{"https://console.example.com/callback"},
		}},
	})["id"].(string)
	return d
}

// open gives a Directory whose writes are watched.
func (d *door) open() *okta.Directory {
	return d.world.open(func(c *okta.Config) { c.Base = watched{c.Base, d} })
}

type watched struct {
	base http.RoundTripper
	door *door
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.base.RoundTrip(r)
	if r.Method != http.MethodGet {
		w.door.written(r.Method, strings.TrimPrefix(r.URL.Path, "/api/v1/policies"))
	}
	return answer, err
}

// rule is a rule in the words of both engines.
type doorRule struct {
	name          string
	from, notFrom int
	groups        []int
	two           bool
}

func (d *door) some(zone int) []string {
	if zone == 0 {
		return nil
	}
	return []string{d.zones[zone-1]}
}

// put has the rules written; those for some groups only are for app sign-in policies.
func (d *door) put(ctx context.Context, by *okta.Directory, groups []int, rules []doorRule) (err error) {
	mark := signOn("").Mark
	chosen := func(of []int) (ids []string) {
		for _, g := range of {
			ids = append(ids, d.groups[g])
		}
		slices.Sort(ids)
		return ids
	}
	if d.classic {
		want := identity.SignOn{Mark: mark, Name: "k8s/test/a/p", Groups: chosen(groups)}
		for _, r := range rules {
			want.Rules = append(want.Rules, identity.SignOnRule{
				Name: r.name, FromZones: d.some(r.from), NotFromZones: d.some(r.notFrom), TwoFactors: r.two, Lifetime: time.Hour,
			})
		}
		_, _, err = by.PutSignOn(ctx, want)
		return err
	}
	want := identity.SignIn{Mark: mark, Name: "k8s/test/a/p"}
	for _, r := range rules {
		want.Rules = append(want.Rules, identity.SignInRule{
			Name: r.name, Groups: chosen(r.groups), FromZones: d.some(r.from), NotFromZones: d.some(r.notFrom), Proof: identity.Proof{TwoFactors: r.two},
		})
	}
	id, err := by.PutSignIn(ctx, want)
	if app, failed := by.GetApp(ctx, d.app); err == nil && failed == nil && app.SignIn != id {
		err = by.GovernApp(ctx, d.app, id)
	}
	return err
}

// decisions are who gets in from where with what, as one letter each: refused, let in with
// two factors, or with the password alone.
func (d *door) decisions() map[string]string {
	all := map[string]string{}
	for _, login := range []string{"ada", "gus", "bob"} {
		for where, ip := range map[string]string{"office": "203.0.113.7", "both": "203.0.113.200", "Berlin": "203.0.114.7", "home": "192.0.2.7"} {
			word := "refused"
			for _, factors := range []string{"password+push", "password"} {
				got := d.org.SignIn(oktasim.Attempt{Login: login + "@example.com", AppID: d.app, IP: ip, Factors: strings.Split(factors, "+")})
				if got.Allowed {
					word = factors
				}
			}
			all[login+" "+where] = word
		}
	}
	return all
}

// randomRules are some rules of four names.
func randomRules(r *rand.Rand) []doorRule {
	names := []string{"a", "b", "c", "d"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var rules []doorRule
	for _, name := range names[:1+r.IntN(4)] {
		rule := doorRule{name: name, two: r.IntN(2) == 0, groups: [][]int{{0}, {1}, {0, 1}}[r.IntN(3)]}
		switch r.IntN(4) {
		case 0:
			rule.notFrom = 1 + r.IntN(2)
		case 1, 2:
			rule.from = 1 + r.IntN(2)
		}
		rules = append(rules, rule)
	}
	return rules
}

// TestBetweenTwoWrites holds that while rules, and whom they are for, are changed, every
// sign-in is decided as before or as afterwards, however long the operator is held up
// between two calls.
func TestBetweenTwoWrites(t *testing.T) {
	for _, classic := range []bool{true, false} {
		for seed := range uint64(40) {
			t.Run(fmt.Sprintf("classic %v, %d", classic, seed), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, 0))
				d := newDoor(t, classic)
				groups := [][]int{{0}, {0, 1}, {1}}
				before, after := randomRules(r), randomRules(r)
				forBefore, forAfter := groups[r.IntN(3)], groups[r.IntN(3)]
				if len(forBefore) == 1 && len(forAfter) == 1 {
					forAfter = forBefore
				}
				must(t, d.put(t.Context(), d.open(), forBefore, before))
				was := d.decisions()
				type moment struct {
					call string
					is   map[string]string
				}
				var moments []moment
				d.written = func(method, path string) { moments = append(moments, moment{method + " " + path, d.decisions()}) }
				must(t, d.put(t.Context(), d.open(), forAfter, after))
				is := d.decisions()
				for _, m := range moments {
					for who, decided := range m.is {
						if decided != was[who] && decided != is[who] {
							t.Errorf("after %s: %s %s; before all %s, in the end %s", m.call, who, decided, was[who], is[who])
						}
					}
				}
				if t.Failed() {
					t.Logf("from %v %+v\nto %v %+v", forBefore, before, forAfter, after)
				}
				d.held(t, forAfter, after)
			})
		}
	}
}

// held holds that the org is as if the rules had been written at once, and is not written to.
func (d *door) held(t *testing.T, groups []int, rules []doorRule) {
	t.Helper()
	fresh := newDoor(t, d.classic)
	must(t, fresh.put(t.Context(), fresh.open(), groups, rules))
	if diff := cmp.Diff(fresh.decisions(), d.decisions()); diff != "" {
		t.Errorf("not what the same rules give a new org (-want +got):\n%s", diff)
	}
	var writes []string
	d.written = func(method, path string) { writes = append(writes, method+" "+path) }
	must(t, d.put(t.Context(), d.open(), groups, rules))
	if writes != nil {
		t.Errorf("the same again is written: %v", writes)
	}
}

// TestFewWrites counts the calls that a change of rules takes.
func TestFewWrites(t *testing.T) {
	office, berlin := doorRule{name: "office", from: 1, groups: []int{0}}, doorRule{name: "berlin", from: 2, groups: []int{0}}
	named := func(r doorRule, name string) doorRule { r.name = name; return r }
	strict := func(r doorRule) doorRule { r.two = true; return r }
	for name, test := range map[string]struct {
		reason        string
		before, after []doorRule
		want          []string
	}{
		"renamed":              {"one call, which leaves no moment without the rule", []doorRule{office}, []doorRule{named(office, "hq")}, []string{"PUT"}},
		"the first of two":     {"the one that says the same", []doorRule{office, berlin}, []doorRule{named(office, "hq"), berlin}, []string{"PUT"}},
		"renamed and stricter": {"for the same sign-ins", []doorRule{office, berlin}, []doorRule{strict(named(office, "hq")), berlin}, []string{"PUT"}},
		"replaced":             {"the rule of that name", []doorRule{office}, []doorRule{named(berlin, "office")}, []string{"PUT"}},
		"another one":          {"for lack of it, the one that is not wanted", []doorRule{office}, []doorRule{berlin}, []string{"PUT"}},
		"swapped":              {"one of them moves", []doorRule{office, berlin}, []doorRule{berlin, office}, []string{"PUT"}},
		"names swapped":        {"names are unique", []doorRule{office, berlin}, []doorRule{named(berlin, "office"), named(office, "berlin")}, nil},
		"one fewer":            {"nothing else is numbered anew", []doorRule{office, berlin}, []doorRule{berlin}, []string{"DELETE"}},
		"one more":             {"in front", []doorRule{berlin}, []doorRule{office, berlin}, []string{"POST"}},
	} {
		for _, classic := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, classic %v", name, classic), func(t *testing.T) {
				d := newDoor(t, classic)
				by := d.open()
				must(t, d.put(t.Context(), by, []int{0}, test.before))
				var calls []string
				d.written = func(method, path string) {
					if strings.Contains(path, "/rules") {
						calls = append(calls, method)
					}
				}
				must(t, d.put(t.Context(), by, []int{0}, test.after))
				if diff := cmp.Diff(test.want, calls); diff != "" && test.want != nil {
					t.Errorf("%s (-want +got):\n%s", test.reason, diff)
				}
				d.held(t, []int{0}, test.after)
			})
		}
	}
}
