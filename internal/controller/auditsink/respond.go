package auditsink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// TypeFinding is the type of an event about what a detection has found.
const TypeFinding = "agentidentity.detection.finding"

// What was done about a finding.
const (
	doneNothing  = "Notified"
	doneDryRun   = "DryRun"
	doneWithheld = "Withheld"
	doneFailed   = "Failed"
	doneGone     = "AgentGone"
	doneRotate   = "Rotated"
	doneSuspend  = "Suspended"
)

// responder does what detections of one AuditSink ask for.
type responder struct {
	c        *Controller
	sink     *v1alpha1.AuditSink
	detector *detect.Detector
	// described names the detections.
	described string
}

// examine implements audit.Sink.Examine.
func (r *responder) examine(ctx context.Context, events []*event.Event) {
	before := r.detector.Dropped()
	for _, finding := range r.detector.Examine(ctx, r.c.Clock.Now(), events) {
		r.respond(ctx, finding)
	}
	if dropped := r.detector.Dropped() - before; dropped > 0 {
		r.c.dropped.Add(float64(dropped))
		r.c.Recorder.Eventf(r.sink, nil, corev1.EventTypeWarning, "DetectionOverloaded", "Detect",
			"more matches than there is room to count, so a finding may be missed: have expressions match fewer events, or lower thresholds")
	}
}

// respond acts, and tells what was found and done: as an event of the sink and of the key,
// and to the receivers. What could not be done is tried again.
func (r *responder) respond(ctx context.Context, finding detect.Finding) {
	done, err := r.act(ctx, finding)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "responding to a finding", "detection", finding.Detection)
		done = doneFailed
		r.c.retries.add(r, finding, r.c.Clock.Now())
	}
	r.tell(finding, done)
}

// tell says what was found and done.
func (r *responder) tell(finding detect.Finding, done string) {
	said := fmt.Sprintf("detection %s: %s (%s; events %s)",
		finding.Detection, strings.TrimSpace(finding.Message+" "+finding.Withheld), done, strings.Join(finding.Events, ", "))
	r.c.Recorder.Eventf(r.sink, nil, corev1.EventTypeWarning, "Detected", "Detect", "%s", shortened(said))
	note := audit.Note{
		At: r.c.Clock.Now(), Type: TypeFinding, Severity: "ERROR", Message: finding.Message,
		Outcome: event.Outcome{Result: "SUCCESS", Reason: done},
		Debug: map[string]any{
			"detection": finding.Detection, "rule": string(finding.Rule), "response": string(finding.Response),
			"done": done, "withheld": finding.Withheld,
			"sink": r.sink.Namespace + "/" + r.sink.Name, "events": strings.Join(finding.Events, ","),
		},
	}
	if a := finding.Agent; a != nil {
		note.Kind, note.Namespace, note.Name = "AgentAPIKey", a.Namespace, a.Name
	}
	r.c.Journal.Write(note)
}

// shortened is what an event of the cluster has room for.
func shortened(text string) string {
	const most = 1000
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// act gives the response, if it is to be given.
func (r *responder) act(ctx context.Context, finding detect.Finding) (done string, err error) {
	switch {
	case finding.Withheld != "":
		return doneWithheld, nil
	case finding.Response == v1alpha1.ResponseNotify || finding.Agent == nil:
		return doneNothing, nil
	case finding.Mode != v1alpha1.ModeAct:
		return doneDryRun, nil
	}
	if finding.Response == v1alpha1.ResponseRotate {
		return r.rotate(ctx, finding)
	}
	return r.suspend(ctx, finding)
}

// same gives the key that was found, nil when it is gone, or another has its name by now.
func (r *responder) same(ctx context.Context, agent *event.Agent) (*v1alpha1.AgentAPIKey, error) {
	key := &v1alpha1.AgentAPIKey{}
	name := client.ObjectKey{Namespace: agent.Namespace, Name: agent.Name}
	err := r.c.Client.Get(ctx, name, key)
	if apierrors.IsNotFound(err) || err == nil && string(key.UID) != agent.UID {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading AgentAPIKey %s: %w", name, err)
	}
	return key, nil
}

// rotate asks for a new credential, once for one finding: the request names the first event.
func (r *responder) rotate(ctx context.Context, finding detect.Finding) (string, error) {
	key, err := r.same(ctx, finding.Agent)
	if err != nil {
		return doneFailed, err
	}
	if key == nil {
		return doneGone, nil
	}
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q,"annotations":{%q:%q}}}`,
		key.UID, v1alpha1.AnnotationRotate, "detection-"+finding.Events[0])
	if err := r.c.Client.Patch(ctx, key, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return doneFailed, fmt.Errorf("asking for the rotation of AgentAPIKey %s/%s: %w", key.Namespace, key.Name, err)
	}
	return doneRotate, nil
}

// suspend cuts the key off by a Quarantine, which no team and no GitOps undoes. It is there
// until a person deletes it.
func (r *responder) suspend(ctx context.Context, finding detect.Finding) (string, error) {
	if r.c.Incident == "" {
		return doneFailed, errors.New("suspending an agent: the operator has no namespace for Quarantines")
	}
	agent := finding.Agent
	key := types.NamespacedName{Namespace: agent.Namespace, Name: agent.Name}
	if found, err := r.same(ctx, agent); err != nil || found == nil {
		return doneGone, err
	}
	digest := sha256.Sum256([]byte(key.String()))
	name := types.NamespacedName{Namespace: r.c.Incident, Name: "detected-" + hex.EncodeToString(digest[:8])}
	policy := restraint.QuarantineOf(key, name, reason(finding, r.sink))
	err := r.c.Client.Create(ctx, policy)
	if apierrors.IsAlreadyExists(err) {
		err = r.held(ctx, policy, agent)
	}
	if err != nil {
		return doneFailed, fmt.Errorf("suspending AgentAPIKey %s: %w", key, err)
	}
	return doneSuspend, nil
}

// held tells whether the policy that is there in the place of ours cuts the agent off.
func (r *responder) held(ctx context.Context, policy *v1alpha1.AccessPolicy, agent *event.Agent) error {
	var there v1alpha1.AccessPolicy
	name := client.ObjectKeyFromObject(policy)
	if err := r.c.Live.Get(ctx, name, &there); err != nil {
		return fmt.Errorf("reading AccessPolicy %s: %w", name, err)
	}
	key := &v1alpha1.AgentAPIKey{}
	key.Namespace, key.Name, key.UID = agent.Namespace, agent.Name, types.UID(agent.UID)
	if !restraint.Holds(&there, key) {
		return fmt.Errorf("there is an AccessPolicy %s that does not cut it off, for somebody changed it or is deleting it: delete it", name)
	}
	return nil
}

// reason is what stands in the Quarantine: what was seen, by whom, and in which events.
func reason(finding detect.Finding, sink *v1alpha1.AuditSink) string {
	const most = 500
	text := fmt.Sprintf("Detection %s of AuditSink %s/%s: %s Events: %s",
		finding.Detection, sink.Namespace, sink.Name, finding.Message, strings.Join(finding.Events, ", "))
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
