package auditsink

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/receiver"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
)

// observed is what was read of the sink's namespace.
type observed struct {
	c       *Controller
	sink    *v1alpha1.AuditSink
	secrets map[string]*corev1.Secret
}

// observe reads what the output's references lead to.
func (c *Controller) observe(ctx context.Context, sink *v1alpha1.AuditSink) (receiver.Material, error) {
	o := observed{c: c, sink: sink, secrets: map[string]*corev1.Secret{}}
	material := receiver.Material{Values: map[v1alpha1.SecretKeyReference]identity.Secret{}}
	for _, ref := range receiver.References(&sink.Spec.Output) {
		value, err := o.secretValue(ctx, string(ref.Name), string(ref.Key))
		if err != nil {
			return material, err
		}
		material.Values[ref] = identity.NewSecret(value)
	}
	tls := sink.Spec.Output.TLS
	if tls == nil {
		return material, nil
	}
	var err error
	if tls.CA != nil {
		if material.CA, err = o.bundle(ctx, tls.CA); err != nil {
			return material, err
		}
	}
	if tls.ClientCertificate != nil {
		if material.Certificate, err = o.secretValue(ctx, string(tls.ClientCertificate.Name), corev1.TLSCertKey); err != nil {
			return material, err
		}
		key, err := o.secretValue(ctx, string(tls.ClientCertificate.Name), corev1.TLSPrivateKeyKey)
		if err != nil {
			return material, err
		}
		material.Key = identity.NewSecret(key)
	}
	return material, nil
}

func (o *observed) secretValue(ctx context.Context, name, key string) ([]byte, error) {
	secret := o.secrets[name]
	if secret == nil {
		secret = &corev1.Secret{}
		if err := o.get(ctx, "Secret", name, secret); err != nil {
			return nil, err
		}
		if err := meant(secret); err != nil {
			return nil, err
		}
		o.secrets[name] = secret
	}
	if value := secret.Data[key]; len(value) > 0 {
		return value, nil
	}
	return nil, o.missing(identity.Rejected, fmt.Sprintf("Secret %s has no value under %q", name, key))
}

func (o *observed) bundle(ctx context.Context, ref *v1alpha1.CABundleReference) ([]byte, error) {
	if ref.Kind == "Secret" {
		return o.secretValue(ctx, string(ref.Name), string(ref.Key))
	}
	var cm corev1.ConfigMap
	if err := o.get(ctx, "ConfigMap", string(ref.Name), &cm); err != nil {
		return nil, err
	}
	if value := cm.Data[string(ref.Key)]; value != "" {
		return []byte(value), nil
	}
	return nil, o.missing(identity.Rejected, fmt.Sprintf("ConfigMap %s has no value under %q", ref.Name, ref.Key))
}

func (o *observed) get(ctx context.Context, kind, name string, obj client.Object) error {
	err := o.c.Live.Get(keysecret.Unlogged(ctx), client.ObjectKey{Namespace: o.sink.Namespace, Name: name}, obj)
	if apierrors.IsNotFound(err) {
		return o.missing(identity.Waiting, fmt.Sprintf("%s %s does not exist in namespace %s", kind, name, o.sink.Namespace))
	}
	if err != nil {
		return fmt.Errorf("reading %s %s: %w", kind, name, err)
	}
	return nil
}

// meant tells that the Secret is there for AuditSinks: whoever writes one says where the
// values go, and may not be allowed to read Secrets.
func meant(secret *corev1.Secret) error {
	says := ""
	switch {
	case secret.Labels[keysecret.LabelPart] != "":
		says = "holds the credential of an agent, which is sent to no receiver: name another"
	case secret.Labels[v1alpha1.LabelAuditOutput] != "true":
		says = fmt.Sprintf("is not meant for AuditSinks: have somebody who may write it give it the label %s: \"true\", or name another",
			v1alpha1.LabelAuditOutput)
	default:
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonCredentialsNotAllowed, RetryAfter: look,
		Message: fmt.Sprintf("Secret %s %s", secret.Name, says),
	}
}

// missing is looked at again: people make such objects after what names them, so that one which
// is not there is waited for.
func (o *observed) missing(kind identity.Kind, what string) error {
	return &identity.Error{
		Kind: kind, Reason: v1alpha1.ReasonCredentialsNotFound, RetryAfter: look,
		Message: what + ": create it, or change spec.output",
	}
}
