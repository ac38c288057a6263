package plugin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-logr/logr"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
)

// Where Okta's own tools look for the same.
const (
	envOrgURL = "OKTA_CLIENT_ORGURL"
	envToken  = "OKTA_CLIENT_TOKEN" //nolint:gosec // the name of a variable
	// maxToken bounds what is read of a file; Okta's tokens have 42 characters.
	maxToken = 4096
)

// orgURL is what the person says, or what the roles say.
func (p *plugin) orgURL(flag string, roles []v1alpha1.AIAgentRole) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if said := p.Getenv(envOrgURL); said != "" {
		return said, nil
	}
	var found []string
	for _, role := range roles {
		issuer, err := url.Parse(role.Status.Issuer)
		if err == nil && issuer.Host != "" && !slices.Contains(found, issuer.Scheme+"://"+issuer.Host) {
			found = append(found, issuer.Scheme+"://"+issuer.Host)
		}
	}
	switch {
	case len(found) == 0:
		return "", misuse("no AIAgentRole that you may list says which org it is in; give --org-url or set %s", envOrgURL)
	case len(found) > 1:
		return "", misuse("the AIAgentRoles name several orgs (%s); give --org-url", strings.Join(found, ", "))
	case !oktaOwn(found[0]):
		return "", misuse("the AIAgentRoles name the org %s, which is no domain of Okta's; if your token may be sent there, give --org-url %s",
			found[0], found[0])
	}
	return found[0], nil
}

// oktaOwn tells addresses at which nobody but Okta can listen. A custom domain, or
// whatever somebody wrote into a status, is for the person to confirm.
func oktaOwn(org string) bool {
	u, err := url.Parse(org)
	if err != nil || u.Scheme != "https" || u.Port() != "" {
		return false
	}
	for _, domain := range []string{".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com", ".okta.mil"} {
		if strings.HasSuffix(u.Hostname(), domain) {
			return true
		}
	}
	return false
}

// person gives the person's own credentials.
func (p *plugin) person(file string) (okta.CredentialSource, error) {
	token := []byte(p.Getenv(envToken))
	if file != "" {
		var err error
		if token, err = readToken(file); err != nil {
			return nil, fmt.Errorf("reading --token-file: %w", err)
		}
	}
	token = bytes.TrimSpace(token)
	if len(token) == 0 {
		return nil, misuse("the System Log is read with your own API token of Okta: "+
			"put it into a file and give --token-file, or set %s", envToken)
	}
	if bytes.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, misuse("what should be an API token of Okta has spaces or other characters that no token has")
	}
	secret := identity.NewSecret(token)
	return func(context.Context) (credential.Credentials, error) {
		return credential.Credentials{APIToken: secret}, nil
	}, nil
}

func readToken(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the person names a file of their own
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxToken {
		return nil, fmt.Errorf("%s is larger than %d bytes; it should hold the token only", path, maxToken)
	}
	return text, nil
}

// openLog opens the System Log. Nothing but the log is asked for, so the cluster and the
// audience are of no consequence.
func (p *plugin) openLog(orgURL string, credentials okta.CredentialSource) (identity.SystemLog, error) {
	if p.OpenLog != nil {
		return p.OpenLog(orgURL, credentials)
	}
	directory, err := okta.New(okta.Config{
		OrgURL: orgURL, Cluster: "kubectl-agentid", Audience: "kubectl-agentid", Credentials: credentials,
		Clock: p.Clock, Logger: logr.Discard(),
	})
	if err != nil {
		return nil, usageError{err}
	}
	return directory, nil
}
