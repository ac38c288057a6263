package okta

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	sdk "github.com/okta/okta-sdk-golang/v2/okta"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// maxDisplayName is how much of a scope's name a consent dialogue would show.
const maxDisplayName = 40

// scope is a scope of our server, as listed.
type scope struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	System      bool   `json:"system"`
}

func (d *Directory) scopesPath(serverID string) string {
	return "/api/v1/authorizationServers/" + url.PathEscape(serverID) + "/scopes?limit=200"
}

func (d *Directory) listScopes(ctx context.Context) (map[string]scope, time.Time, error) {
	return d.scopesBy(ctx, "")
}

func (d *Directory) findScope(ctx context.Context, name string, _ hint) (scope, bool, error) {
	found, _, err := d.scopesBy(ctx, "&q="+url.QueryEscape(name))
	s, ok := found[name]
	return s, ok, err
}

func (d *Directory) scopesBy(ctx context.Context, query string) (map[string]scope, time.Time, error) {
	s, err := d.need(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	w := walk[scope]{org: d.org, clock: d.clock, id: func(s scope) string { return s.ID }}
	listed, begun, err := w.all(ctx, d.scopesPath(s.ID)+query)
	if err != nil {
		return nil, begun, d.childless(err)
	}
	named := make(map[string]scope, len(listed))
	for _, s := range listed {
		if !s.System {
			named[s.Name] = s
		}
	}
	return named, begun, nil
}

func (d *Directory) foreignScope(s scope) bool {
	_, mark := splitMark(s.Description)
	return mark != d.mark
}

// seenScopes parts the scopes into ours and those of others.
func (d *Directory) seenScopes(ctx context.Context) (map[string]identity.Permission, map[string]bool, error) {
	scopes, err := d.scopes.all(ctx, d.foreignScope)
	if err != nil {
		return nil, nil, err
	}
	ours, foreign := map[string]identity.Permission{}, map[string]bool{}
	for name, s := range scopes {
		if d.foreignScope(s) {
			foreign[name] = true
			continue
		}
		text, _ := splitMark(s.Description)
		ours[name] = identity.Permission{Name: name, Description: text}
	}
	return ours, foreign, nil
}

// PutPermission implements identity.Roles.
func (d *Directory) PutPermission(ctx context.Context, permission identity.Permission) error {
	s, err := d.need(ctx)
	if err != nil {
		return err
	}
	have, found, err := d.scopes.get(ctx, permission.Name, query[scope]{blocks: d.foreignScope})
	if err != nil {
		return err
	}
	want := withMark(permission.Description, d.mark)
	if found {
		if d.foreignScope(have) {
			return conflict(fmt.Sprintf("scope %q stands on the operator's authorization server and carries no mark of it; "+
				"delete the scope in Okta or choose another permission name", permission.Name))
		}
		if have.Description == want {
			return nil
		}
	}
	id, err := d.writeScope(ctx, s.ID, have.ID, permission.Name, want)
	if err != nil {
		return d.failed(d.scopes, permission.Name, err)
	}
	d.scopes.put(permission.Name, scope{ID: id, Name: permission.Name, Description: want})
	return nil
}

// writeScope creates the scope, or replaces the one of that id.
func (d *Directory) writeScope(ctx context.Context, serverID, id, name, description string) (string, error) {
	no := false
	body := sdk.OAuth2Scope{
		Name: name, DisplayName: clip(name, maxDisplayName), Description: description,
		Consent: "IMPLICIT", MetadataPublish: "NO_CLIENTS", Default: &no,
	}
	servers := d.org.client.AuthorizationServer
	var made *sdk.OAuth2Scope
	var err error
	if id == "" {
		made, err = done[*sdk.OAuth2Scope](ctx)(servers.CreateOAuth2Scope(ctx, url.PathEscape(serverID), body))
	} else {
		made, err = done[*sdk.OAuth2Scope](ctx)(servers.UpdateOAuth2Scope(ctx, url.PathEscape(serverID), url.PathEscape(id), body))
	}
	if err != nil {
		return "", err
	}
	if made == nil || made.Id == "" {
		return "", incomplete()
	}
	return made.Id, nil
}

// clip cuts text to limit bytes, between characters.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}
