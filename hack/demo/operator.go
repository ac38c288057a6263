package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Where config/ puts the operator.
const (
	operatorNamespace = "agent-identity-system"
	operatorAccount   = "agent-identity-operator"
)

var listening = regexp.MustCompile(`listening on (\S+)`)

// startOrg starts the simulated Okta org and returns its address.
func (s *stage) startOrg(ctx context.Context) (string, error) {
	dir := s.orgDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	p, err := s.start("oktasim", nil,
		"--listen", "127.0.0.1:0", "--tls-dir", dir, "--bootstrap-dir", dir, "--limits", "workforce")
	if err != nil {
		return "", err
	}
	return p.says(ctx, listening)
}

// orgDir is where the simulated org leaves its certificate authority and the
// operator's first credentials.
func (s *stage) orgDir() string { return filepath.Join(s.dir, "org") }

// startOperator runs bin/manager the way the Deployment does: its configuration
// in a file, its Okta credentials in a directory, its API access by the token of
// its ServiceAccount.
func (s *stage) startOperator(ctx context.Context, org string) error {
	kubeconfig, err := s.operatorConfig(ctx)
	if err != nil {
		return err
	}
	credentials, err := s.operatorCredentials()
	if err != nil {
		return err
	}
	health, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, "config.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(
		"ORG", org, "CREDENTIALS", credentials, "AUTHORITY", filepath.Join(s.orgDir(), "ca.crt"),
		"HEALTH", health, "NAMESPACE", operatorNamespace,
	).Replace(configuration)), 0o600); err != nil {
		return err
	}
	if _, err := s.start("manager", []string{"KUBECONFIG=" + kubeconfig}, "--config", file); err != nil {
		return err
	}
	return healthy(ctx, "http://"+health+"/readyz")
}

const configuration = `apiVersion: config.agentidentity.dev/v1alpha1
kind: Configuration
clusterID: demo
okta:
  orgURL: ORG
  credentialsDirectory: CREDENTIALS
  caBundleFile: AUTHORITY
  rateLimitShare: 50
audience: api://ai-agents
manager:
  healthProbeBindAddress: HEALTH
  leaderElectionNamespace: NAMESPACE
`

// operatorConfig writes a kubeconfig that holds nothing but a ServiceAccount token.
func (s *stage) operatorConfig(ctx context.Context) (string, error) {
	request := &authenticationv1.TokenRequest{}
	accounts := s.cluster.CoreV1().ServiceAccounts(operatorNamespace)
	answer, err := accounts.CreateToken(ctx, operatorAccount, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("requesting the operator's token: %w", err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["demo"] = &clientcmdapi.Cluster{
		Server: s.plane.Config.Host, CertificateAuthorityData: s.plane.Config.CAData,
	}
	config.AuthInfos["operator"] = &clientcmdapi.AuthInfo{Token: answer.Status.Token}
	config.Contexts["demo"] = &clientcmdapi.Context{Cluster: "demo", AuthInfo: "operator"}
	config.CurrentContext = "demo"
	file := filepath.Join(s.dir, "operator.kubeconfig")
	return file, clientcmd.WriteToFile(*config, file)
}

// operatorCredentials lays out the operator's Okta credentials as its mounted
// Secret would: the OAuth client only, without the API token.
func (s *stage) operatorCredentials() (string, error) {
	dir := filepath.Join(s.dir, "credentials")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{"client_id", "private_key.pem", "key_id"} {
		value, err := os.ReadFile(filepath.Join(s.orgDir(), name))
		if err != nil {
			return "", fmt.Errorf("reading what oktasim wrote: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), value, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// freeAddress finds a port nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// healthy waits until the address answers 200.
func healthy(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for the operator to be healthy: %w", err)
		}
	}
}
