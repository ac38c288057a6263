// Package admission refuses what no rule of a CustomResourceDefinition can: expressions
// that do not compile. The controllers hold the same again, so that nothing depends on
// it being there.
package admission

import (
	"context"
	"fmt"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
	"github.com/agentidentity/agent-identity-operator/internal/audit/filter"
)

// Path is where AuditSinks are held.
const Path = "/validate-agentidentity-dev-v1alpha1-auditsink"

// Register serves the check at Path.
func Register(server webhook.Server, scheme *runtime.Scheme) {
	server.Register(Path, &admission.Webhook{Handler: auditSinks{decoder: admission.NewDecoder(scheme)}})
}

type auditSinks struct{ decoder admission.Decoder }

// Handle implements admission.Handler. Deletion is never asked about, and is let through if it is.
func (h auditSinks) Handle(ctx context.Context, req admission.Request) admission.Response {
	if req.Operation != admissionv1.Create && req.Operation != admissionv1.Update {
		return admission.Allowed("")
	}
	sink := &v1alpha1.AuditSink{}
	if err := h.decoder.Decode(req, sink); err != nil {
		return admission.Errored(http.StatusBadRequest, fmt.Errorf("reading the AuditSink: %w", err))
	}
	if !sink.DeletionTimestamp.IsZero() {
		return admission.Allowed("")
	}
	if err := Expressions(sink); err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("refused an AuditSink", "reason", err.Error())
		return admission.Denied(err.Error())
	}
	return admission.Allowed("")
}

// Expressions says which expression of the sink does not compile, and where in it.
func Expressions(sink *v1alpha1.AuditSink) error {
	if events := sink.Spec.Events; events != nil && events.Filter != "" {
		if _, err := filter.Compile(string(events.Filter)); err != nil {
			return fmt.Errorf("spec.events.filter: %w", err)
		}
	}
	_, err := detect.New(sink.Spec.Detections, nil)
	return err
}
