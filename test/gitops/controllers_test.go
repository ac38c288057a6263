package gitops

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// runControllers stands for two of Kubernetes' controllers, which are not here: that of Deployments,
// and the garbage collector, which ends what Argo CD deletes.
func (w *world) runControllers() {
	w.Helper()
	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &v1alpha1.AIAgentRoleList{}, &v1alpha1.AgentAPIKeyList{}, &v1alpha1.AccessPolicyList{}, &v1alpha1.AuditSinkList{},
	} {
		w.follow(list)
	}
}

func (w *world) follow(list client.ObjectList) {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	changes, err := cluster.admin.Watch(ctx, list)
	if err != nil {
		w.Fatal(err)
	}
	done := make(chan struct{})
	w.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		for event := range changes.ResultChan() {
			err := collect(ctx, event.Object)
			if d, is := event.Object.(*appsv1.Deployment); is && err == nil {
				err = rollOut(ctx, d)
			}
			// Whoever is late is told of the object as it is now.
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && ctx.Err() == nil {
				w.Errorf("standing for Kubernetes' controllers: %v", err)
			}
		}
	}()
}

// rollOut has a Deployment rolled out as soon as it changes.
func rollOut(ctx context.Context, d *appsv1.Deployment) error {
	if d.Status.ObservedGeneration == d.Generation || d.DeletionTimestamp != nil {
		return nil
	}
	before := d.DeepCopy()
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
	return cluster.admin.Status().Patch(ctx, d, client.MergeFrom(before))
}

// collect ends what is deleted in the foreground: first the Secrets that it owns, then itself.
func collect(ctx context.Context, o runtime.Object) error {
	owner, is := o.(client.Object)
	if !is || owner.GetDeletionTimestamp() == nil || !slices.Contains(owner.GetFinalizers(), metav1.FinalizerDeleteDependents) {
		return nil
	}
	var secrets corev1.SecretList
	if err := cluster.admin.List(ctx, &secrets, client.InNamespace(owner.GetNamespace())); err != nil {
		return err
	}
	for i := range secrets.Items {
		owns := func(r metav1.OwnerReference) bool { return r.UID == owner.GetUID() }
		if !slices.ContainsFunc(secrets.Items[i].OwnerReferences, owns) {
			continue
		}
		if err := client.IgnoreNotFound(cluster.admin.Delete(ctx, &secrets.Items[i])); err != nil {
			return err
		}
	}
	owner.SetFinalizers(slices.DeleteFunc(owner.GetFinalizers(), func(f string) bool { return f == metav1.FinalizerDeleteDependents }))
	return cluster.admin.Update(ctx, owner)
}
