package okta

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	sdk "github.com/okta/okta-sdk-golang/v2/okta"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// server is an authorization server, as listed.
type server struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Audiences   []string  `json:"audiences"`
	Issuer      string    `json:"issuer"`
	Created     time.Time `json:"created"`

	// used tells of a twin that something is granted on it.
	used bool
}

func (d *Directory) serverName() string { return "agentid-" + d.cluster }

func (d *Directory) ownServer(s server) bool {
	_, mark := splitMark(s.Description)
	return mark == d.mark
}

// listServers gives the servers of our name: ours under the name itself, a younger one
// of ours with a plus behind it, one of somebody else with a star.
func (d *Directory) listServers(ctx context.Context) (map[string]server, time.Time, error) {
	w := walk[server]{org: d.org, clock: d.clock, id: func(s server) string { return s.ID }}
	// q matches parts of names too, and audiences.
	all, begun, err := w.all(ctx, "/api/v1/authorizationServers?limit=200&q="+url.QueryEscape(d.serverName()))
	if err != nil {
		return nil, begun, err
	}
	named := map[string]server{}
	// Should there be two of ours, every process must choose the same one.
	slices.SortFunc(all, func(a, b server) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
	for _, s := range all {
		switch {
		case s.Name != d.serverName():
		case d.ownServer(s):
			if younger, has := named[s.Name]; has {
				named[s.Name+"+"] = younger
			}
			named[s.Name] = s
		default:
			named[s.Name+"*"] = s
		}
	}
	return named, begun, nil
}

func (d *Directory) findServer(ctx context.Context, key string, _ hint) (server, bool, error) {
	named, _, err := d.listServers(ctx)
	if err != nil {
		return server{}, false, err
	}
	s, found := named[key]
	return s, found, nil
}

// own gives the operator's server; false while there is none.
func (d *Directory) own(ctx context.Context) (server, bool, error) {
	return d.servers.get(ctx, d.serverName(), query[server]{})
}

// need gives the operator's server, or an error that it is to come.
func (d *Directory) need(ctx context.Context) (server, error) {
	s, found, err := d.own(ctx)
	if err != nil {
		return server{}, err
	}
	if !found {
		return server{}, waiting("the operator's authorization server is not there yet; it is looked at again")
	}
	return s, nil
}

// CreateServer implements identity.Roles.
func (d *Directory) CreateServer(ctx context.Context, tried bool, about func(context.Context) error) error {
	if err := d.setting.check(ctx); err != nil {
		return err
	}
	if _, found, err := d.servers.get(ctx, d.serverName(), query[server]{tried: tried}); err != nil || found {
		return err
	}
	if _, taken, err := d.servers.get(ctx, d.serverName()+"*", query[server]{blocks: always[server]}); err != nil {
		return err
	} else if taken {
		return conflict(fmt.Sprintf("authorization server %q exists in Okta and carries no mark of this operator; "+
			"rename or delete it there, or choose another clusterID", d.serverName()))
	}
	if err := unsettled(d.servers.open(d.serverName())); err != nil {
		return err
	}
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	if about != nil {
		if err := about(ctx); err != nil {
			return err
		}
	}
	return d.requestServer(ctx)
}

// requestServer creates the server, and remembers it.
func (d *Directory) requestServer(ctx context.Context) error {
	made, err := done[*sdk.AuthorizationServer](ctx)(d.org.client.AuthorizationServer.CreateAuthorizationServer(ctx, sdk.AuthorizationServer{
		Name: d.serverName(), Description: d.mark.String(), Audiences: []string{d.audience}, IssuerMode: "ORG_URL",
		Credentials: &sdk.AuthorizationServerCredentials{
			Signing: &sdk.AuthorizationServerCredentialsSigningConfig{RotationMode: "AUTO"},
		},
	}))
	if err == nil && (made == nil || made.Id == "") {
		err = incomplete()
	}
	if err != nil {
		return d.failed(d.servers, d.serverName(), err)
	}
	// What Okta gives a new server is known: its own scopes, and no policies. That
	// saves listing them.
	d.scopes.startWith(map[string]scope{})
	d.policies.startWith(map[string]namesakes{})
	d.servers.put(d.serverName(), server{
		ID: made.Id, Name: d.serverName(), Description: made.Description, Audiences: made.Audiences, Issuer: made.Issuer,
	})
	return nil
}

// seenServer is the server in the terms of the port.
func seenServer(s server) *identity.Server {
	seen := &identity.Server{ID: s.ID, Issuer: s.Issuer, TokenURL: s.Issuer + "/v1/token"}
	if len(s.Audiences) > 0 {
		seen.Audience = s.Audiences[0]
	}
	return seen
}

// doubter is a family as far as a failed write concerns it.
type doubter interface {
	question(key string)
	doubted(key string)
}

// failed makes the next observation look the key up when the write of it may have
// taken place, was refused because it exists, or because somebody has changed it.
func (d *Directory) failed(of doubter, key string, err error) error {
	status, _ := fault.StatusOf(err)
	switch {
	case fault.Ambiguous(err):
		of.doubted(key)
	case fault.IsGone(err):
		// It may be the server itself that a person has deleted.
		of.question(key)
		d.servers.question(d.serverName())
	case status.Exists || status.HTTP == http.StatusConflict:
		of.doubted(key)
		return waitingFor(err, "Okta has an object of that name or id already, it may be ours; it is looked at again")
	case status.HTTP == http.StatusBadRequest, fault.IsWrongState(err):
		of.question(key)
	}
	return err
}

// childless makes the next observation look the server up when its own lists say
// that it is gone.
func (d *Directory) childless(err error) error {
	if fault.IsGone(err) {
		d.servers.question(d.serverName())
	}
	return err
}
