package oktasim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestWhatOperationsLeave(t *testing.T) {
	tests := map[string]struct {
		reason string
		do     func(*world)
		want   []string
	}{
		"an app": {
			"each of the changes is two events, one of the app and one of the client",
			func(w *world) {
				app := "/api/v1/apps/" + w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one")).text("id")
				w.do(200, "POST", app+"/lifecycle/deactivate", nil)
				w.do(403, "POST", app+"/lifecycle/deactivate", nil)
				w.do(204, "DELETE", app, nil)
			},
			[]string{
				"application.lifecycle.create AppInstance", "app.oauth2.client.lifecycle.create AppInstance",
				"application.lifecycle.deactivate AppInstance", "app.oauth2.client.lifecycle.deactivate AppInstance",
				"application.lifecycle.delete AppInstance", "app.oauth2.client.lifecycle.delete AppInstance",
			},
		},
		"secrets": {
			"reading them is told as well",
			func(w *world) {
				secrets := "/api/v1/apps/" + w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one")).text("id") + "/credentials/secrets"
				secret := secrets + "/" + w.do(201, "POST", secrets, nil).text("id")
				w.do(200, "GET", secrets, nil)
				w.do(200, "POST", secret+"/lifecycle/deactivate", nil)
				w.do(204, "DELETE", secret, nil)
			},
			[]string{
				"application.lifecycle.create AppInstance", "app.oauth2.client.lifecycle.create AppInstance",
				"app.oauth2.credentials.lifecycle.create OAuth2ClientSecret AppInstance",
				"app.oauth2.client.read_client_secret AppInstance",
				"app.oauth2.credentials.lifecycle.deactivate OAuth2ClientSecret AppInstance",
				"app.oauth2.client.read_client_secret OAuth2ClientSecret AppInstance",
				"app.oauth2.credentials.lifecycle.delete OAuth2ClientSecret AppInstance",
			},
		},
		"a group": {
			"a membership that is there already is no event",
			func(w *world) {
				user := w.org.AddUser("jane@example.com")
				group := "/api/v1/groups/" + w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "g"}}).text("id")
				w.do(200, "PUT", group, object{"profile": object{"name": "h"}})
				w.do(204, "PUT", group+"/users/"+user, nil)
				w.do(204, "PUT", group+"/users/"+user, nil)
				w.do(204, "DELETE", group+"/users/"+user, nil)
				w.do(204, "DELETE", group, nil)
			},
			[]string{
				"user.lifecycle.create User", "user.lifecycle.activate User",
				"group.lifecycle.create UserGroup", "group.profile.update UserGroup",
				"group.user_membership.add User UserGroup", "group.user_membership.remove User UserGroup",
				"group.lifecycle.delete UserGroup",
			},
		},
		"a server": {
			"what is below it names it as well",
			func(w *world) {
				server, _ := w.newServer("read")
				policy, rule := w.newPolicy(server, "p", []string{"ALL_CLIENTS"}, []string{"read"})
				w.do(204, "POST", rule+"/lifecycle/deactivate", nil)
				w.do(204, "DELETE", policy, nil)
			},
			[]string{
				"oauth2.as.created AuthorizationServer", "oauth2.scope.created Scope AuthorizationServer",
				"policy.lifecycle.create PolicyEntity AuthorizationServer",
				"policy.rule.add PolicyRule PolicyEntity AuthorizationServer",
				"policy.rule.deactivate PolicyRule PolicyEntity AuthorizationServer",
				"policy.lifecycle.delete PolicyEntity AuthorizationServer",
			},
		},
		"factors": {
			"a push brings codes, and takes them along",
			func(w *world) {
				user := w.org.AddUser("jane@example.com")
				factors := "/api/v1/users/" + user + "/factors"
				push := w.do(200, "POST", factors, object{"factorType": "push", "provider": "OKTA"}).text("id")
				if err := w.org.CompletePush(user); err != nil {
					w.t.Fatal(err)
				}
				w.do(204, "DELETE", factors+"/"+push, nil)
				w.do(200, "POST", factors, object{"factorType": "sms", "provider": "OKTA", "profile": object{"phoneNumber": "+15551234567"}})
			},
			[]string{
				"user.lifecycle.create User", "user.lifecycle.activate User",
				"user.mfa.factor.activate User AuthenticatorEnrollment", "user.mfa.factor.activate User AuthenticatorEnrollment",
				"user.mfa.factor.deactivate User AuthenticatorEnrollment", "user.mfa.factor.deactivate User AuthenticatorEnrollment",
				"system.sms.send_factor_verify_message User AuthenticatorEnrollment",
			},
		},
		"a user": {
			"who is deleted is deactivated first, and leaves groups",
			func(w *world) {
				user := w.org.AddUser("jane@example.com")
				group := "/api/v1/groups/" + w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "g"}}).text("id")
				w.do(204, "PUT", group+"/users/"+user, nil)
				for _, status := range []string{"SUSPENDED", "ACTIVE"} {
					if err := w.org.SetUserStatus(user, status); err != nil {
						w.t.Fatal(err)
					}
				}
				if err := w.org.DeleteUser(user); err != nil {
					w.t.Fatal(err)
				}
			},
			[]string{
				"user.lifecycle.create User", "user.lifecycle.activate User", "group.lifecycle.create UserGroup",
				"group.user_membership.add User UserGroup", "user.lifecycle.suspend User", "user.lifecycle.unsuspend User",
				"user.lifecycle.deactivate User", "group.user_membership.remove User UserGroup",
				"user.lifecycle.delete.initiated User", "user.lifecycle.delete.completed User",
			},
		},
		"the console": {
			"what an admin changes of an app is told, with its credentials",
			func(w *world) {
				app, err := w.org.AdminCreateApp(oktasim.NewApp{Label: "one", Secret: "0123456789abcdef"})
				if err != nil {
					w.t.Fatal(err)
				}
				if _, err := w.org.AdminAddSecret(app.ID, "fedcba9876543210"); err != nil {
					w.t.Fatal(err)
				}
				err = w.org.AdminUpdateApp(app.ID, func(a *oktasim.App) {
					a.Secrets[0].Status = "INACTIVE"
					a.Secrets = a.Secrets[:1]
				})
				if err != nil {
					w.t.Fatal(err)
				}
				if err := w.org.AdminDeleteApp(app.ID); err != nil {
					w.t.Fatal(err)
				}
			},
			[]string{
				"application.lifecycle.create AppInstance", "app.oauth2.client.lifecycle.create AppInstance",
				"app.oauth2.credentials.lifecycle.create OAuth2ClientSecret AppInstance",
				"application.lifecycle.update AppInstance", "app.oauth2.client.lifecycle.update AppInstance",
				"app.oauth2.credentials.lifecycle.deactivate OAuth2ClientSecret AppInstance",
				"app.oauth2.credentials.lifecycle.delete OAuth2ClientCredential AppInstance",
				"application.lifecycle.deactivate AppInstance", "app.oauth2.client.lifecycle.deactivate AppInstance",
				"application.lifecycle.delete AppInstance", "app.oauth2.client.lifecycle.delete AppInstance",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newCheckedWorld(t, oktasim.Options{})
			got := said(w.happened(func() { test.do(w) }))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
