package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

const (
	victims = 20
	backlog = 10_000
	// apart is the time between two incidents: the part of the rate limit that is kept for
	// taking access away is a few calls a minute.
	apart    = 15 * time.Second
	fleet    = "fleet"
	incident = "incidents"
)

// BenchmarkQuarantine measures the time from the creation of a Quarantine to the first
// token that Okta refuses, while ten thousand keys converge and the operator's share of the
// bucket for apps is used up.
func BenchmarkQuarantine(b *testing.B) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		b.Skip("KUBEBUILDER_ASSETS is unset: run it with make bench")
	}
	s := newStage(b)
	s.create(&v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: fleet, Name: "chat"},
		Spec:       v1alpha1.AIAgentRoleSpec{Permissions: []v1alpha1.Permission{{Name: "talk"}}},
	})
	for i := range victims {
		s.create(keyNamed(fmt.Sprintf("victim-%02d", i)))
	}
	agents := make([]credentials, victims)
	for i := range victims {
		agents[i] = s.waitFor(fmt.Sprintf("victim-%02d", i))
	}
	s.fill()
	s.waitSaturated()
	for b.Loop() {
		var times []time.Duration
		for i := range victims {
			times = append(times, s.cutOff(i, agents[i]))
			<-time.After(apart)
		}
		slices.Sort(times)
		b.ReportMetric(times[len(times)/2].Seconds(), "p50-s")
		b.ReportMetric(times[len(times)-1].Seconds(), "max-s")
		b.ReportMetric(float64(s.throttled()), "keys-throttled")
	}
}

// stage is a cluster, an org and an operator between them.
type stage struct {
	*testing.B
	kube client.Client
	org  *oktasim.Org
}

func newStage(b *testing.B) *stage {
	b.Helper()
	ctrl.SetLogger(logr.Discard())
	environment := &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true}
	rest, err := environment.Start()
	must(b, err)
	b.Cleanup(func() { _ = environment.Stop() })
	rest.QPS, rest.Burst = -1, -1
	s := &stage{B: b, org: oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce})}
	s.kube, err = client.New(rest, client.Options{Scheme: operator.Scheme()})
	must(b, err)
	server := httptest.NewServer(s.org)
	b.Cleanup(server.Close)
	s.org.SetBaseURL(server.URL)
	for _, name := range []string{fleet, incident} {
		s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	secrets := b.TempDir()
	must(b, os.WriteFile(filepath.Join(secrets, "api_token"), []byte(s.org.AddAPIToken()), 0o600))
	config, err := configv1alpha1.Parse(fmt.Appendf(nil, `
apiVersion: config.agentidentity.dev/v1alpha1
kind: Configuration
clusterID: bench
okta: {orgURL: %q, credentialsDirectory: %q}
incidentNamespace: %s
manager: {healthProbeBindAddress: "0", leaderElection: Disabled}
`, server.URL, secrets, incident))
	must(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := operator.Run(ctx, operator.Options{
			Config: config, REST: rest, Logger: logr.Discard(), Clock: clock.RealClock{}, Metrics: prometheus.NewRegistry(), SkipNameValidation: true,
		}); err != nil {
			b.Errorf("running the operator: %v", err)
		}
	})
	b.Cleanup(func() { cancel(); running.Wait() })
	return s
}

func keyNamed(name string) *v1alpha1.AgentAPIKey {
	return &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: fleet, Name: name},
		Spec: v1alpha1.AgentAPIKeySpec{
			RoleRef: v1alpha1.RoleReference{Name: "chat"}, Agent: v1alpha1.Agent{Name: name}, Delivery: v1alpha1.DeliveryClientSecret,
			Secret: v1alpha1.SecretTarget{Name: v1alpha1.ObjectName(name + "-okta")},
		},
	}
}

func (s *stage) create(obj client.Object) {
	s.Helper()
	must(s.B, s.kube.Create(context.Background(), obj))
}

// credentials are what an agent has.
type credentials struct{ id, secret, tokenURL string }

// waitFor waits until the key is Ready and gives what its Secret holds.
func (s *stage) waitFor(name string) credentials {
	s.Helper()
	key, secret := &v1alpha1.AgentAPIKey{}, &corev1.Secret{}
	s.poll(func() bool {
		must(s.B, s.kube.Get(context.Background(), client.ObjectKey{Namespace: fleet, Name: name}, key))
		return meta.IsStatusConditionTrue(key.Status.Conditions, v1alpha1.ConditionReady)
	})
	must(s.B, s.kube.Get(context.Background(), client.ObjectKey{Namespace: fleet, Name: name + "-okta"}, secret))
	return credentials{string(secret.Data["client_id"]), string(secret.Data["client_secret"]), string(secret.Data["token_url"])}
}

// fill creates the keys that converge meanwhile.
func (s *stage) fill() {
	s.Helper()
	const hands = 16
	var working sync.WaitGroup
	for hand := range hands {
		working.Go(func() {
			for i := hand; i < backlog; i += hands {
				if err := s.kube.Create(context.Background(), keyNamed(fmt.Sprintf("key-%05d", i))); err != nil {
					s.Errorf("creating a key: %v", err)
					return
				}
			}
		})
	}
	working.Wait()
}

// waitSaturated waits until keys wait for the rate limit.
func (s *stage) waitSaturated() {
	s.Helper()
	s.poll(func() bool { return s.throttled() > 100 })
}

func (s *stage) throttled() int {
	s.Helper()
	var keys v1alpha1.AgentAPIKeyList
	must(s.B, s.kube.List(context.Background(), &keys, client.InNamespace(fleet)))
	count := 0
	for i := range keys.Items {
		ready := meta.FindStatusCondition(keys.Items[i].Status.Conditions, v1alpha1.ConditionReady)
		if ready != nil && ready.Reason == v1alpha1.ReasonThrottled {
			count++
		}
	}
	return count
}

// cutOff puts a key into quarantine and asks for tokens until one is refused.
func (s *stage) cutOff(i int, agent credentials) time.Duration {
	s.Helper()
	began := time.Now()
	s.create(&v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: incident, Name: fmt.Sprintf("incident-%02d", i)},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{
			Reason: "bench",
			Targets: v1alpha1.QuarantineTargets{Keys: []v1alpha1.KeyReference{
				{Namespace: fleet, Name: v1alpha1.ObjectName(fmt.Sprintf("victim-%02d", i))},
			}},
		}},
	})
	s.poll(func() bool { return s.refused(agent) })
	return time.Since(began)
}

// refused asks for a token; the rate limit is no refusal.
func (s *stage) refused(agent credentials) bool {
	s.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"talk"}}
	request, err := http.NewRequest(http.MethodPost, agent.tokenURL, strings.NewReader(form.Encode()))
	must(s.B, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(agent.id), url.QueryEscape(agent.secret))
	response, err := http.DefaultClient.Do(request)
	must(s.B, err)
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	must(s.B, err)
	return response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusBadRequest
}

// poll looks every 20 ms, so that no figure is worth less than that.
func (s *stage) poll(done func() bool) {
	s.Helper()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(10 * time.Minute); !done(); <-ticks.C {
		if time.Now().After(deadline) {
			s.Fatal("it does not come to be within 10 minutes")
		}
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
