package operator

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// recorder tells what has happened to an object twice: as an event of the cluster, which is
// gone in an hour, and to the receivers of audit events.
type recorder struct {
	events.EventRecorder
	scheme  *runtime.Scheme
	journal *audit.Journal
	clock   clock.PassiveClock
}

// Eventf implements events.EventRecorder.
func (r recorder) Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any) {
	r.EventRecorder.Eventf(regarding, related, eventtype, reason, action, note, args...)
	object, ok := regarding.(client.Object)
	if !ok {
		return
	}
	kind := "Object"
	if gvk, err := apiutil.GVKForObject(regarding, r.scheme); err == nil {
		kind = gvk.Kind
	}
	n := audit.Note{
		At: r.clock.Now(), Type: "agentidentity." + strings.ToLower(kind+"."+reason), Severity: "INFO", Message: fmt.Sprintf(note, args...),
		Outcome: event.Outcome{Result: "SUCCESS"}, Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName(),
		Debug: map[string]any{"reason": reason, "action": action},
	}
	if eventtype == corev1.EventTypeWarning {
		n.Severity, n.Outcome = "WARN", event.Outcome{Result: "FAILURE", Reason: reason}
	}
	r.journal.Write(n)
}
