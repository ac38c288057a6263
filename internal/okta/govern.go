package okta

import (
	"context"
	"net/http"
	"net/url"
	"path"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// peopleApp is an app, as far as it says who may sign in to it.
type peopleApp struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Status      string `json:"status"`
	Credentials struct {
		OAuth struct {
			ClientID string `json:"client_id"`
		} `json:"oauthClient"`
	} `json:"credentials"`
	Settings struct {
		OAuth struct {
			Kind string `json:"application_type"`
		} `json:"oauthClient"`
	} `json:"settings"`
	Links struct {
		Policy struct {
			Href string `json:"href"`
		} `json:"accessPolicy"`
	} `json:"_links"`
}

func (a peopleApp) seen() identity.App {
	app := identity.App{ID: a.ID, Label: a.Label, ClientID: a.Credentials.OAuth.ClientID, Service: a.Settings.OAuth.Kind == "service"}
	app.SignIn = linked(a.Links.Policy.Href)
	return app
}

// linked is the id of what a link leads to; "" when it leads nowhere.
func linked(href string) string {
	u, err := url.Parse(href)
	if err != nil || u.Path == "" {
		return ""
	}
	return path.Base(u.Path)
}

// FindApps implements identity.Apps.
func (d *Directory) FindApps(ctx context.Context, label string) ([]identity.App, error) {
	w := walk[peopleApp]{org: d.org, clock: d.clock, id: func(a peopleApp) string { return a.ID }}
	// q matches beginnings.
	listed, _, err := w.all(ctx, "/api/v1/apps?limit=200&q="+url.QueryEscape(label))
	if err != nil {
		return nil, err
	}
	var found []identity.App
	for _, a := range listed {
		if a.Label == label {
			found = append(found, a.seen())
		}
	}
	return found, nil
}

// GetApp implements identity.Apps.
func (d *Directory) GetApp(ctx context.Context, id string) (*identity.App, error) {
	var a peopleApp
	_, err := d.org.call(ctx, http.MethodGet, "/api/v1/apps/"+url.PathEscape(id), nil, &a)
	if fault.IsGone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	app := a.seen()
	return &app, nil
}

// GovernApp implements identity.Apps.
func (d *Directory) GovernApp(ctx context.Context, appID, signInID string) error {
	err := d.mapApp(ctx, appID, signInID)
	if fault.IsGone(err) {
		d.madePolicies.distrust()
		return waitingFor(err, "the app, or the policy that it is to be under, is gone in Okta; they are looked at again")
	}
	return err
}

// ReleaseApp implements identity.Apps.
func (d *Directory) ReleaseApp(ctx context.Context, appID, previousID string) error {
	if previousID != "" {
		err := d.mapApp(ctx, appID, previousID)
		if !fault.IsGone(err) {
			return err
		}
	}
	id, err := d.defaultSignIn(ctx)
	if err != nil {
		return err
	}
	if err := d.mapApp(ctx, appID, id); !fault.IsGone(err) {
		return err
	}
	// The app itself is gone: nobody signs in to it any more.
	return nil
}

func (d *Directory) mapApp(ctx context.Context, appID, policyID string) error {
	_, err := d.org.call(ctx, http.MethodPut, "/api/v1/apps/"+url.PathEscape(appID)+"/policies/"+url.PathEscape(policyID), nil, nil)
	return err
}

// defaultSignIn finds the policy that new apps are under: the system's.
func (d *Directory) defaultSignIn(ctx context.Context) (string, error) {
	listed, _, err := objects(d.org, d.clock).all(ctx, orgPolicies+"?type="+accessPolicy)
	if err != nil {
		return "", err
	}
	for _, policy := range listed {
		if policy["system"] == true {
			return text(policy, "id"), nil
		}
	}
	return "", incomplete()
}

// Governed implements identity.SignIns.
func (d *Directory) Governed(ctx context.Context, id string) ([]string, error) {
	var mappings []struct {
		Links struct {
			App struct {
				Href string `json:"href"`
			} `json:"application"`
		} `json:"_links"`
	}
	_, err := d.org.call(ctx, http.MethodGet, orgPolicies+"/"+url.PathEscape(id)+"/mappings", nil, &mappings)
	if fault.IsGone(err) {
		d.madePolicies.distrust()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var apps []string
	for _, mapping := range mappings {
		if id := linked(mapping.Links.App.Href); id != "" {
			apps = append(apps, id)
		}
	}
	return apps, nil
}
