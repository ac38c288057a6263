package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// scraper reads the metrics of an operator, as a Prometheus would.
type scraper struct {
	address, token string
	http           http.Client
}

// scraper makes one that may, and an address at which the operator is to serve.
func (s *stage) scraper(ctx context.Context) (*scraper, error) {
	meta := metav1.ObjectMeta{Namespace: home, Name: "bench-scraper"}
	account := &corev1.ServiceAccount{ObjectMeta: meta}
	for _, obj := range []client.Object{
		account,
		&rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: meta.Name},
			Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
		},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: meta.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: home, Name: meta.Name}},
		},
	} {
		if err := s.kube.Create(ctx, obj); err != nil {
			return nil, err
		}
	}
	const day = int64(24 * 60 * 60)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(day)}}
	if err := s.kube.SubResource("token").Create(ctx, account, request); err != nil {
		return nil, err
	}
	free, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	// The operator makes its certificate itself.
	insecure := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	return &scraper{
		address: free.Addr().String(), token: request.Status.Token, http: http.Client{Transport: &http.Transport{TLSClientConfig: insecure}},
	}, free.Close()
}

// read gives the metrics of these names.
func (s *scraper) read(ctx context.Context, names ...string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.address+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, name := range names {
		found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
		if found == nil {
			return nil, fmt.Errorf("reading the operator's metrics: HTTP %d, without %s", answer.StatusCode, name)
		}
		if values[name], err = strconv.ParseFloat(string(found[1]), 64); err != nil {
			return nil, err
		}
	}
	return values, nil
}
