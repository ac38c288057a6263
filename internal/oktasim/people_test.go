package oktasim_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func (w *world) drivePeople() {
	w.org.AddUser("jane@example.com")
	w.do(200, "GET", "/api/v1/users/jane@example.com", nil)
	w.do(404, "GET", "/api/v1/users/nobody@example.com", nil)
	w.do(200, "GET", "/api/v1/users?limit=200", nil)
	w.do(200, "GET", "/api/v1/users?q=ja", nil)
	w.do(200, "GET", "/api/v1/users?filter="+url.QueryEscape(`status eq "ACTIVE"`), nil)
	w.do(200, "GET", "/api/v1/users?search="+url.QueryEscape(`profile.email sw "jane"`), nil)
	w.do(400, "GET", "/api/v1/users?search=nonsense", nil)
}

// newUser makes a user and gives the id.
func (w *world) newUser(login, status string) string {
	w.t.Helper()
	id, err := w.org.CreateUser(oktasim.NewUser{Login: login, Status: status, MobilePhone: "+15554151337"})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func TestUserIsFoundByIDAndLogin(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	id := w.newUser("Jane.Doe@example.com", "STAGED")
	w.newUser("john@example.com", "")
	w.newUser("john@example.org", "")
	for _, name := range []string{id, "jane.doe@EXAMPLE.com", "jane.doe"} {
		r := w.do(200, "GET", "/api/v1/users/"+name, nil)
		got := []any{r.text("id"), r.text("status"), r.text("profile", "login"), r.text("profile", "mobilePhone"), r.Object["activated"]}
		if diff := cmp.Diff([]any{id, "STAGED", "Jane.Doe@example.com", "+15554151337", nil}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for reason, name := range map[string]string{"two of that short name": "john", "nobody": "jim@example.com", "half a short name": "jane"} {
		r := w.do(404, "GET", "/api/v1/users/"+name, nil)
		if want := "Not found: Resource not found: " + name + " (User)"; r.text("errorSummary") != want {
			t.Errorf("%s: got %q, want %q", reason, r.text("errorSummary"), want)
		}
	}
}

func TestUsersAreListed(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.newUser("ann@example.com", "")
	w.newUser("Ben@example.com", "SUSPENDED")
	w.newUser("cleo@example.com", "DEPROVISIONED")
	w.newUser("dan@example.com", "STAGED")
	all := func(names ...string) [][]string {
		page := []string{}
		for _, name := range names {
			page = append(page, name+"@example.com")
		}
		return [][]string{page}
	}
	tests := map[string]struct {
		reason, parameter, value string
		want                     [][]string
	}{
		"plain":          {"without those who are gone", "limit", "200", all("ann", "Ben", "dan")},
		"pages":          {"with a link to the next", "limit", "2", [][]string{{"ann@example.com", "Ben@example.com"}, {"dan@example.com"}}},
		"q":              {"a prefix whatever its case", "q", "BEN", all("Ben")},
		"q gone":         {"without those who are gone", "q", "cleo", all()},
		"filter login":   {"exactly", "filter", `profile.login eq "ann@example.com"`, all("ann")},
		"filter case":    {"values are case sensitive", "filter", `profile.login EQ "ben@example.com"`, all()},
		"filter gone":    {"who asks for them gets them", "filter", `status eq "DEPROVISIONED" or profile.login eq "dan@example.com"`, all("cleo", "dan")},
		"and binds":      {"more tightly than or", "filter", `status eq "STAGED" or status eq "ACTIVE" and profile.firstName eq "x"`, all("dan")},
		"quoted or":      {"joins nothing", "filter", `profile.login eq "a or b"`, all()},
		"search case":    {"values are not case sensitive", "search", `profile.login eq "BEN@example.com"`, all("Ben")},
		"search prefix":  {"and those who are gone", "search", `profile.email sw "cl"`, all("cleo")},
		"search content": {"anywhere", "search", `profile.login co "an"`, all("ann", "dan")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			got := w.walk("/api/v1/users?"+url.Values{test.parameter: {test.value}}.Encode(), "profile", "login")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
	w.t = t
	w.do(400, "GET", "/api/v1/users?q=a&filter="+url.QueryEscape(`status eq "ACTIVE"`), nil)
	w.do(400, "GET", "/api/v1/users?limit=201", nil)
	for _, bad := range []string{
		`status eq ACTIVE`, `status ne "ACTIVE"`, `profile.city eq "x"`, `status eq "ACTIVE" or `, `(status eq "ACTIVE")`,
		`status eq "ACTIVE" xor status eq "STAGED"`, `profile.login sw "a"`,
	} {
		if r := w.do(400, "GET", "/api/v1/users?filter="+url.QueryEscape(bad), nil); r.text("errorCode") != "E0000031" {
			t.Errorf("%s: got %s", bad, r.Raw)
		}
	}
	if got := w.do(200, "GET", "/api/v1/users?q=a", nil); len(got.Header.Values("Link")) != 0 {
		t.Errorf("a people picker has no pages, got %q", got.Header.Values("Link"))
	}
}

func TestPeoplePickerShowsTen(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	for i := range 12 {
		w.newUser(fmt.Sprintf("jane%d@example.com", i), "")
	}
	for query, want := range map[string]int{"q=jane": 10, "q=jane&limit=12": 12, "limit=11": 11} {
		if got := len(w.do(200, "GET", "/api/v1/users?"+query, nil).List); got != want {
			t.Errorf("%s: got %d users, want %d", query, got, want)
		}
	}
}

// membership is what one group says of its members.
func (w *world) membership(group string) (members []string, moved string) {
	w.t.Helper()
	for _, page := range w.walk(group+"/users", "profile", "login") {
		members = append(members, page...)
	}
	return members, w.do(200, "GET", group, nil).text("lastMembershipUpdated")
}

func TestMembershipMovesOnlyOnAChange(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	jane, john := w.newUser("jane@example.com", ""), w.newUser("john@example.com", "")
	path := "/api/v1/groups/" + w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "one"}}).text("id")
	everyone := "/api/v1/groups/" + w.org.Snapshot().Groups[0].ID
	steps := []struct {
		reason string
		do     func()
		want   []string
		moves  bool
	}{
		{"a new member", func() { w.do(204, "PUT", path+"/users/"+jane, nil) }, []string{"jane@example.com"}, true},
		{"a member again", func() { w.do(204, "PUT", path+"/users/"+jane, nil) }, []string{"jane@example.com"}, false},
		{"not a member", func() { w.do(204, "DELETE", path+"/users/"+john, nil) }, []string{"jane@example.com"}, false},
		{"a second one", func() { w.do(204, "PUT", path+"/users/"+john, nil) }, []string{"jane@example.com", "john@example.com"}, true},
		{"suspended users stay", func() { w.must(w.org.SetUserStatus(john, "SUSPENDED")) }, []string{"jane@example.com", "john@example.com"}, false},
		{"deactivated ones do not", func() { w.must(w.org.SetUserStatus(john, "DEPROVISIONED")) }, []string{"jane@example.com"}, true},
		{"nor come back", func() { w.must(w.org.SetUserStatus(john, "ACTIVE")) }, []string{"jane@example.com"}, false},
		{"by hand", func() {
			w.must(w.org.AdminUpdateGroup(path[len("/api/v1/groups/"):], func(g *oktasim.Group) { g.Members = []string{jane, john} }))
		}, []string{"jane@example.com", "john@example.com"}, true},
		{"deleted users are gone", func() { w.must(w.org.DeleteUser(jane)) }, []string{"john@example.com"}, true},
	}
	_, before := w.membership(path)
	for _, step := range steps {
		w.clock.Step(time.Minute)
		step.do()
		members, moved := w.membership(path)
		if diff := cmp.Diff(step.want, members); diff != "" || moved != before != step.moves {
			t.Errorf("%s: moved from %s to %s, members (-want +got):\n%s", step.reason, before, moved, diff)
		}
		before = moved
	}
	w.clock.Step(time.Minute)
	w.must(w.org.SetUserStatus(john, "DEPROVISIONED"))
	if r := w.do(403, "PUT", path+"/users/"+john, nil); r.text("errorCode") != "E0000038" {
		t.Errorf("a deactivated user joins nothing, got %s", r.Raw)
	}
	w.do(404, "GET", "/api/v1/users/"+jane, nil)
	w.do(404, "PUT", path+"/users/"+jane, nil)
	if members, moved := w.membership(everyone); len(members) > 0 || moved == before {
		t.Errorf("Everyone has the members %v and moved at %s", members, moved)
	}
}

// must stops the test on an error of the Go API.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestPeopleCannotBeChangedAtWill(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.newUser("jane@example.com", "")
	create := func(wish oktasim.NewUser) error { _, err := w.org.CreateUser(wish); return err }
	for reason, err := range map[string]error{
		"no login":        create(oktasim.NewUser{}),
		"a taken login":   create(oktasim.NewUser{Login: "JANE@example.com"}),
		"no such status":  create(oktasim.NewUser{Login: "john@example.com", Status: "AWAY"}),
		"to no status":    w.org.SetUserStatus("jane@example.com", "AWAY"),
		"nobody's status": w.org.SetUserStatus("john@example.com", "ACTIVE"),
		"nobody's phone":  w.org.SetUserPhone("john@example.com", "+15554151337"),
		"nobody":          w.org.DeleteUser("john@example.com"),
	} {
		if err == nil {
			t.Errorf("%s: a story that misses its target must fail", reason)
		}
	}
}

func TestControlMakesPeople(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	body := object{"login": "jane@example.com", "status": "STAGED", "mobilePhone": "+15554151337", "firstName": "Jane"}
	id := w.do(200, "POST", "/_sim/users", body).text("id")
	w.do(400, "POST", "/_sim/users", body)
	w.do(400, "POST", "/_sim/users", object{"status": "ACTIVE"})
	if again := w.do(200, "POST", "/_sim/users", object{"login": "jane@example.com"}).text("id"); again != id {
		t.Errorf("the login alone gives who has it, got %s, want %s", again, id)
	}
	w.must(w.org.SetUserPhone(id, "+15554151338"))
	r := w.do(200, "GET", "/api/v1/users/"+id, nil)
	got := []string{r.text("status"), r.text("profile", "firstName"), r.text("profile", "mobilePhone")}
	if diff := cmp.Diff([]string{"STAGED", "Jane", "+15554151338"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := oktasim.User{ID: id, Login: "jane@example.com", Status: "STAGED"}
	if diff := cmp.Diff([]oktasim.User{want}, w.org.Snapshot().Users); diff != "" {
		t.Errorf("the state (-want +got):\n%s", diff)
	}
}
