package story

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// TestExpressionsAtAdmission: an expression that does not compile is refused when it is
// written, with the place of the fault; when the webhook is gone objects are let through,
// and the condition says the same.
func TestExpressionsAtAdmission(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.bindRole("audit_role.yaml")
	c := newCollector(t)
	directory := certificates(t, c)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	w.hook(c, port)
	p := w.start(impatient, listening, w.atHome, func(o *operator.Options) {
		o.Config.Manager.WebhookCertificatesDirectory, o.Config.Manager.WebhookPort = directory, port
	})
	w.eventually("the webhook listens", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	tests := map[string]struct {
		change func(*v1alpha1.AuditSinkSpec)
		says   []string
		reason string
	}{
		"a filter that is none": {
			func(s *v1alpha1.AuditSinkSpec) { s.Events = &v1alpha1.EventSelection{Filter: "event.eventType =="} },
			[]string{"spec.events.filter", "1:"},
			"the place is told",
		},
		"a filter of a number": {
			func(s *v1alpha1.AuditSinkSpec) { s.Events = &v1alpha1.EventSelection{Filter: "1 + 1"} },
			[]string{"spec.events.filter", "bool"},
			"it must be true or false",
		},
		"a misspelt field of the agent": {
			func(s *v1alpha1.AuditSinkSpec) { s.Events = &v1alpha1.EventSelection{Filter: "agent.nmae == 'bot'"} },
			[]string{"spec.events.filter", "nmae"},
			"it would never match",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sink := w.sink(c, w.namespace, "refused")
			tt.change(&sink.Spec)
			err := cluster.admin.Create(context.Background(), sink)
			if !apierrors.IsForbidden(err) {
				t.Fatalf("it is not refused (%s): %v", tt.reason, err)
			}
			for _, said := range tt.says {
				if !strings.Contains(err.Error(), said) {
					t.Errorf("the refusal does not say %q: %v", said, err)
				}
			}
		})
	}
	good := w.sinkTo(c, w.namespace, "good")
	good.Spec.Events = &v1alpha1.EventSelection{Filter: `event.eventType.startsWith("app.") && agent.name == "bot"`}
	w.create(good)
	w.waitReason("good", good, v1alpha1.ReasonReady)
	w.stop(p)
	// The webhook is gone, and is not asked about deletion.
	w.must(nil, cluster.admin.Delete(context.Background(), good))

	late := w.sinkTo(c, w.namespace, "late")
	late.Spec.Events = &v1alpha1.EventSelection{Filter: "event.eventType =="}
	w.create(late)
	w.start(impatient, listening, w.atHome)
	w.waitReason("late", late, v1alpha1.ReasonInvalidExpression)
}

// certificates writes the collector's own as those of the webhook.
func certificates(t *testing.T, c *collector) string {
	t.Helper()
	directory, pair := t.TempDir(), c.server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, "tls.key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(directory, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// hook registers the webhook that config/ ships, for the world's namespace.
func (w *world) hook(c *collector, port int) {
	w.Helper()
	text, err := os.ReadFile(filepath.Join(root, "config", "webhook", "validating.yaml"))
	if err != nil {
		w.Fatal(err)
	}
	hook := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	w.must(nil, yaml.UnmarshalStrict(text, hook))
	hook.Name = w.namespace
	h := &hook.Webhooks[0]
	url := fmt.Sprintf("https://127.0.0.1:%d%s", port, *h.ClientConfig.Service.Path)
	h.ClientConfig = admissionregistrationv1.WebhookClientConfig{
		URL: &url, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw}),
	}
	h.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.namespace}}
	w.create(hook)
	w.Cleanup(func() { w.must(nil, cluster.admin.Delete(context.Background(), hook)) })
}
