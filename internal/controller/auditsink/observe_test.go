package auditsink

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
)

// named is a Secret of the namespace "team", with a token and a pair of keys.
func named(name string, labels map[string]string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, Labels: labels},
		Data: map[string][]byte{
			"token": []byte("toxic"), corev1.TLSCertKey: []byte("certificate"), corev1.TLSPrivateKeyKey: []byte("toxic"),
		},
	}
}

// TestOnlySecretsMeantForSinks holds that whoever may write AuditSinks, but read no Secrets,
// has none sent to an endpoint of their own.
func TestOnlySecretsMeantForSinks(t *testing.T) {
	meant := map[string]string{v1alpha1.LabelAuditOutput: "true"}
	c := fake.NewClientBuilder().WithObjects(
		named("meant", meant),
		named("other", nil),
		named("denied", map[string]string{v1alpha1.LabelAuditOutput: "false"}),
		named("agents", map[string]string{v1alpha1.LabelAuditOutput: "true", keysecret.LabelPart: "published"}),
	).Build()
	controller := &Controller{Client: c, Live: client.Reader(c)}
	uses := map[string]func(*v1alpha1.AuditOutput, v1alpha1.ObjectName){
		"a header": func(o *v1alpha1.AuditOutput, name v1alpha1.ObjectName) {
			o.HTTP = &v1alpha1.HTTPOutput{Headers: []v1alpha1.SecretHeader{{
				Name: "authorization", Value: v1alpha1.SecretKeyReference{Name: name, Key: "token"},
			}}}
		},
		"a certificate": func(o *v1alpha1.AuditOutput, name v1alpha1.ObjectName) {
			o.TLS = &v1alpha1.OutputTLS{ClientCertificate: &v1alpha1.SecretReference{Name: name}}
		},
		"a bundle": func(o *v1alpha1.AuditOutput, name v1alpha1.ObjectName) {
			o.TLS = &v1alpha1.OutputTLS{CA: &v1alpha1.CABundleReference{Kind: "Secret", Name: name, Key: "token"}}
		},
	}
	for use, refer := range uses {
		for secret, says := range map[v1alpha1.ObjectName]string{
			"meant": "", "other": v1alpha1.LabelAuditOutput, "denied": v1alpha1.LabelAuditOutput, "agents": "credential of an agent",
		} {
			t.Run(use+"/"+string(secret), func(t *testing.T) {
				sink := &v1alpha1.AuditSink{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "sink"}}
				refer(&sink.Spec.Output, secret)
				_, err := controller.observe(t.Context(), sink)
				if says == "" {
					if err != nil {
						t.Errorf("what is meant for it is refused: %v", err)
					}
					return
				}
				e, ok := err.(*identity.Error) //nolint:errorlint // the condition is made of it as it is
				if !ok || e.Reason != v1alpha1.ReasonCredentialsNotAllowed || !strings.Contains(e.Message, says) {
					t.Fatalf("got %v, want %s with %q", err, v1alpha1.ReasonCredentialsNotAllowed, says)
				}
				if strings.Contains(e.Message, "toxic") {
					t.Error("it tells a secret")
				}
			})
		}
	}
}

// TestRevision holds that what is followed is made anew when a value changes, and not when
// somebody only wrote the object again.
func TestRevision(t *testing.T) {
	secret := named("meant", map[string]string{v1alpha1.LabelAuditOutput: "true"})
	c := fake.NewClientBuilder().WithObjects(secret).Build()
	controller := &Controller{Client: c, Live: client.Reader(c)}
	sink := &v1alpha1.AuditSink{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "sink"}}
	sink.Spec.Output.HTTP = &v1alpha1.HTTPOutput{SigningKey: &v1alpha1.SecretKeyReference{Name: "meant", Key: "token"}}
	revision := func() audit.Revision {
		t.Helper()
		material, err := controller.observe(t.Context(), sink)
		if err != nil {
			t.Fatal(err)
		}
		return revisionOf(sink, material)
	}
	write := func(change func()) {
		t.Helper()
		change()
		if err := c.Update(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	first := revision()
	write(func() { secret.Annotations = map[string]string{"touched": "yes"} })
	if revision() != first {
		t.Error("an annotation made another revision")
	}
	write(func() { secret.Data["token"] = []byte("another") })
	second := revision()
	if second == first {
		t.Error("another value made no other revision")
	}
	sink.Spec.Output.HTTP.Endpoint = "https://elsewhere.example.com"
	if revision() == second {
		t.Error("another endpoint made no other revision")
	}
}
