package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// AnnotationRevisions stands on the pod template of a restarted workload and says for
// which revision of each Secret it was. A change of the template is what makes the
// workload's controller replace the pods, at the pace and in the order that the
// workload asks for, as with kubectl rollout restart.
const AnnotationRevisions = "agentidentity.dev/secrets-revision"

const (
	// fieldOwner is the operator's name in managed fields.
	fieldOwner = "agent-identity-operator"
	// lookAgain is how soon what a person must mend is looked at again.
	lookAgain = 5 * time.Minute
)

// State says how a restart target stands. It is fit for the reason of a condition.
type State string

// The states of a restart target.
const (
	// UpToDate: its pods have read the Secrets as they are, or wait for them.
	UpToDate State = "UpToDate"
	// Restarted: it was restarted just now.
	Restarted State = "Restarted"
	// RestartWaiting: it will be restarted together with what else is changing.
	RestartWaiting State = "RestartWaiting"
	// RestartTargetNotFound: there is none of that name, which may be a slip. It is in
	// the way of nothing: whoever creates it later gets the Secrets as they are.
	RestartTargetNotFound State = "RestartTargetNotFound"
	// RestartRefused: the API server or an admission policy does not let it be restarted.
	RestartRefused State = "RestartRefused"
)

// Outcome is how a restart target stands. None of it says anything about the key
// itself: the credential works whether or not the workload is restarted.
type Outcome struct {
	Target v1alpha1.RestartTarget
	State  State
	// Message is for people: what is wrong, where, and the next action.
	Message string
	// Again is when to look again; zero when there is nothing to wait for.
	Again time.Duration
	// Cause is what the API server said to a restart that it refused, for the log.
	Cause error
}

// Pending tells whether a restart is still to come.
func (o Outcome) Pending() bool { return o.State != UpToDate && o.State != Restarted }

// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets;daemonsets,verbs=get;patch

// Restarter restarts workloads that read their Secrets only when they start.
type Restarter struct {
	// Live reads from the API server: through a cache the first look would begin a
	// watch on every workload of the cluster.
	Live client.Reader
	// Client patches.
	Client client.Writer
}

// Restart restarts the target if its pods may have older Secrets than those given,
// which are all whose keys name it; Decide says when. Doing it twice for the same
// Secrets restarts once. An error is one of the API server's that passes.
//
// A Deployment that is paused is restarted when it is resumed, and the pods of an
// OnDelete workload when they are deleted: until then they are Holders.
func (r Restarter) Restart(
	ctx context.Context, namespace string, target v1alpha1.RestartTarget, secrets []Secret, now time.Time,
) (Outcome, error) {
	live := object(namespace, target)
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(live), live); err != nil {
		return stopped(namespace, target, secrets, fmt.Errorf("reading %s: %w", text(namespace, target), err))
	}
	decision := Decide(seenOf(live), secrets, now)
	switch {
	case decision.Restart:
	case decision.Wait > 0:
		return Outcome{
			Target: target, State: RestartWaiting, Again: decision.Wait,
			Message: fmt.Sprintf("%s is restarted soon: %s", text(namespace, target), decision.Reason),
		}, nil
	default:
		return Outcome{Target: target, State: UpToDate, Message: decision.Reason}, nil
	}
	patch := client.RawPatch(types.MergePatchType, templatePatch(decision.Revisions))
	if err := r.Client.Patch(ctx, object(namespace, target), patch, client.FieldOwner(fieldOwner)); err != nil {
		return stopped(namespace, target, secrets, fmt.Errorf("restarting %s: %w", text(namespace, target), err))
	}
	return Outcome{
		Target: target, State: Restarted,
		Message: fmt.Sprintf("restarted %s: %s", text(namespace, target), decision.Reason),
	}, nil
}

// stopped is the outcome of an error that a person must mend; others are given back.
func stopped(namespace string, target v1alpha1.RestartTarget, secrets []Secret, err error) (Outcome, error) {
	what := text(namespace, target)
	switch {
	case apierrors.IsNotFound(err) && len(unread(Seen{}, secrets)) == 0:
		return Outcome{Target: target, State: UpToDate, Message: what + " does not exist yet"}, nil
	case apierrors.IsNotFound(err):
		return Outcome{
			Target: target, State: RestartTargetNotFound, Again: lookAgain,
			Message: what + " does not exist and is not restarted; create it, or take it out of spec.restartTargets",
		}, nil
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		return Outcome{
			Target: target, State: RestartRefused, Again: lookAgain, Cause: err,
			Message: what + " may have pods with an older Secret, and the operator may not restart it; " +
				"allow the operator to get and patch it, or restart it yourself; the operator's log has the answer",
		}, nil
	}
	return Outcome{}, err
}

// object is an empty workload of the target's kind and name. One shape does for all
// three kinds, whose pod templates lie in the same place.
func object(namespace string, target v1alpha1.RestartTarget) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind(target.Kind))
	obj.SetNamespace(namespace)
	obj.SetName(string(target.Name))
	return obj
}

func seenOf(live *unstructured.Unstructured) Seen {
	// Absent or of another shape: nothing was written there by us.
	revisions, _, _ := unstructured.NestedString(live.Object, "spec", "template", "metadata", "annotations", AnnotationRevisions)
	return Seen{Revisions: revisions, Created: live.GetCreationTimestamp().Time}
}

// templatePatch changes one annotation of the pod template and nothing else, so it can
// neither undo nor meet somebody else's change.
func templatePatch(revisions string) []byte {
	type m map[string]any
	patch, _ := json.Marshal(m{ // strings cannot fail
		"spec": m{"template": m{"metadata": m{"annotations": m{AnnotationRevisions: revisions}}}},
	})
	return patch
}

func text(namespace string, target v1alpha1.RestartTarget) string {
	return fmt.Sprintf("%s %s/%s", target.Kind, namespace, target.Name)
}
