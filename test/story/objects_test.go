package story

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

func (w *world) role(name string, permissions ...v1alpha1.PermissionName) *v1alpha1.AIAgentRole {
	role := &v1alpha1.AIAgentRole{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	for _, p := range permissions {
		role.Spec.Permissions = append(role.Spec.Permissions, v1alpha1.Permission{Name: p})
	}
	return role
}

func (w *world) key(name, role string, delivery v1alpha1.Delivery) *v1alpha1.AgentAPIKey {
	return &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.AgentAPIKeySpec{
			RoleRef: v1alpha1.RoleReference{Name: v1alpha1.ObjectName(role)},
			Agent:   v1alpha1.Agent{Name: name}, Delivery: delivery,
			Secret: v1alpha1.SecretTarget{Name: v1alpha1.ObjectName(name + "-okta")},
		},
	}
}

// settled is an object whose status can be waited for.
type settled interface {
	client.Object
	StatusConditions() *[]metav1.Condition
}

func readyKey(w *world, name string) *v1alpha1.AgentAPIKey {
	w.Helper()
	key := &v1alpha1.AgentAPIKey{}
	w.waitReason(name, key, v1alpha1.ReasonReady)
	return key
}

func readyRole(w *world, name string) *v1alpha1.AIAgentRole {
	w.Helper()
	role := &v1alpha1.AIAgentRole{}
	w.waitReason(name, role, v1alpha1.ReasonReady)
	return role
}

// waitReason watches the object until its Ready condition gives the reason for its
// current generation, and leaves what it saw last in obj.
func (w *world) waitReason(name string, obj settled, reason string) {
	w.Helper()
	w.waitFor(name, obj, "Ready with reason "+reason, func() bool {
		ready := meta.FindStatusCondition(*obj.StatusConditions(), v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reason && ready.ObservedGeneration == obj.GetGeneration()
	})
}

// waitFor watches the object until done says so.
func (w *world) waitFor(name string, obj settled, what string, done func() bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !w.watchUntil(ctx, name, obj, done) {
		w.Fatalf("%T %s did not become %s; its conditions: %s", obj, name, what, conditionsOf(obj))
	}
}

// watchUntil watches the object until done says so, or the context ends; every
// state on the way must agree with kstatus.
func (w *world) watchUntil(ctx context.Context, name string, obj settled, done func() bool) bool {
	w.Helper()
	list := listOf(w, obj)
	watcher, err := cluster.admin.Watch(ctx, list, client.InNamespace(w.namespace),
		client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", name)})
	if err != nil {
		w.Fatalf("watching %T %s: %v", obj, name, err)
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		if ctx.Err() != nil {
			return false
		}
		if event.Type == watch.Error {
			w.Fatalf("watching %T %s: %v", obj, name, event.Object)
		}
		if event.Type == watch.Bookmark {
			continue
		}
		copyInto(w, event.Object, obj)
		w.checkStatus(obj)
		if event.Type != watch.Deleted && done() {
			return true
		}
	}
	return false
}

func listOf(w *world, obj client.Object) client.ObjectList {
	w.Helper()
	switch obj.(type) {
	case *v1alpha1.AIAgentRole:
		return &v1alpha1.AIAgentRoleList{}
	case *v1alpha1.AgentAPIKey:
		return &v1alpha1.AgentAPIKeyList{}
	case *v1alpha1.AccessPolicy:
		return &v1alpha1.AccessPolicyList{}
	case *v1alpha1.AuditSink:
		return &v1alpha1.AuditSinkList{}
	}
	w.Fatalf("no list for %T", obj)
	return nil
}

func copyInto(w *world, from any, to client.Object) {
	w.Helper()
	switch target := to.(type) {
	case *v1alpha1.AIAgentRole:
		*target = *from.(*v1alpha1.AIAgentRole).DeepCopy()
	case *v1alpha1.AgentAPIKey:
		*target = *from.(*v1alpha1.AgentAPIKey).DeepCopy()
	case *v1alpha1.AccessPolicy:
		*target = *from.(*v1alpha1.AccessPolicy).DeepCopy()
	case *v1alpha1.AuditSink:
		*target = *from.(*v1alpha1.AuditSink).DeepCopy()
	default:
		w.Fatalf("cannot copy into %T", to)
	}
}

func conditionsOf(obj settled) string {
	var lines []string
	for _, c := range *obj.StatusConditions() {
		lines = append(lines, fmt.Sprintf("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(lines, "; ")
}

// checkStatus holds that Ready, observedGeneration and kstatus agree, as the
// kstatus library reads them.
func (w *world) checkStatus(obj settled) {
	w.Helper()
	gvk := v1alpha1.GroupVersion.WithKind(strings.TrimPrefix(fmt.Sprintf("%T", obj), "*v1alpha1."))
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		w.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	result, err := status.Compute(u)
	if err != nil {
		w.Fatalf("computing the kstatus of %s: %v", obj.GetName(), err)
	}
	if want, why := wantStatus(obj); want != result.Status {
		w.Errorf("kstatus of %s %s is %s, want %s because %s; conditions: %s",
			gvk.Kind, obj.GetName(), result.Status, want, why, conditionsOf(obj))
	}
	w.checkHealth(obj, content, result.Status)
}

// wantStatus reads our own conditions by our own promise.
func wantStatus(obj settled) (status.Status, string) {
	conditions := *obj.StatusConditions()
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case !obj.GetDeletionTimestamp().IsZero():
		return status.TerminatingStatus, "it is being deleted"
	case ready == nil:
		return status.InProgressStatus, "nobody has looked at it yet"
	case ready.ObservedGeneration != obj.GetGeneration():
		return status.InProgressStatus, "the status speaks of another generation"
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		return status.FailedStatus, "it is stalled"
	case ready.Status == metav1.ConditionTrue:
		return status.CurrentStatus, "it is ready"
	}
	return status.InProgressStatus, "it is on its way"
}
