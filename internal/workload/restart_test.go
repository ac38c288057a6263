package workload

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

var (
	target     = v1alpha1.RestartTarget{Kind: "Deployment", Name: "chat"}
	deployment = schema.GroupResource{Group: "apps", Resource: "deployments"}
)

// workloads are one of each kind, named alike, made a day before the change.
func workloads() []client.Object {
	meta := metav1.ObjectMeta{Namespace: "ns", Name: "chat", CreationTimestamp: metav1.NewTime(changed.Add(-24 * time.Hour))}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"theirs": "stays"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{byEnv}},
	}
	return []client.Object{
		&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Template: template}},
		&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Template: template}},
		&appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Template: template}},
	}
}

// cluster is a fake one that counts patches and fails calls with the error given.
func cluster(patches *int, getFails, patchFails error, objects ...client.Object) Restarter {
	c := fake.NewClientBuilder().WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if getFails != nil {
				return getFails
			}
			return c.Get(ctx, key, obj, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, p client.Patch, opts ...client.PatchOption) error {
			*patches++
			if patchFails != nil {
				return patchFails
			}
			return c.Patch(ctx, obj, p, opts...)
		},
	}).Build()
	return Restarter{Live: c, Client: c}
}

func TestRestartChangesTheTemplateOnly(t *testing.T) {
	for _, before := range workloads() {
		var patches int
		r := cluster(&patches, nil, nil, before)
		kind := kindOf(before)
		target := v1alpha1.RestartTarget{Kind: kind, Name: "chat"}
		t.Run(kind, func(t *testing.T) {
			secrets := []Secret{secret("a", "2", 0), secret("b", "1", 0)}
			for i, want := range []State{Restarted, UpToDate} {
				got, err := r.Restart(context.Background(), "ns", target, secrets, later)
				if err != nil || got.State != want || got.Pending() || got.Target != target {
					t.Fatalf("look %d: got %+v, %v, want %s", i+1, got, err, want)
				}
			}
			if patches != 1 {
				t.Errorf("two looks at one change patched %d times", patches)
			}
			after, _ := before.DeepCopyObject().(client.Object)
			if err := r.Live.Get(context.Background(), client.ObjectKeyFromObject(before), after); err != nil {
				t.Fatal(err)
			}
			want, _ := before.DeepCopyObject().(client.Object)
			templateOf(want).Annotations[AnnotationRevisions] = `{"a":"2","b":"1"}`
			ignore := cmpopts.IgnoreFields(metav1.ObjectMeta{}, "ResourceVersion", "ManagedFields", "Generation")
			if diff := cmp.Diff(want, after, ignore, cmpopts.IgnoreTypes(metav1.TypeMeta{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func kindOf(obj client.Object) string {
	switch obj.(type) {
	case *appsv1.Deployment:
		return "Deployment"
	case *appsv1.StatefulSet:
		return "StatefulSet"
	}
	return "DaemonSet"
}

func templateOf(obj client.Object) *corev1.PodTemplateSpec {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	}
	return nil
}

func TestRestart(t *testing.T) {
	forbidden := apierrors.NewForbidden(deployment, "chat", errors.New("policy says no"))
	conflict := apierrors.NewConflict(deployment, "chat", errors.New("busy"))
	gone := apierrors.NewNotFound(deployment, "chat")
	tests := map[string]struct {
		reason               string
		missing              bool
		getFails, patchFails error
		secrets              []Secret
		now                  time.Time
		want                 Outcome
		wantPatches          int
		is                   func(error) bool
	}{
		"FirstPublication": {
			reason: "nothing is patched for it", secrets: []Secret{secret("a", "1", 0)}, now: later,
			want: Outcome{State: UpToDate, Message: "its pods were started after every change of its Secrets"},
		},
		"Settling": {
			reason: "the caller hears when to look again", secrets: []Secret{secret("a", "2", 0)}, now: changed.Add(time.Second),
			want: Outcome{
				State: RestartWaiting, Again: 9 * time.Second,
				Message: "Deployment ns/chat is restarted soon: Secret a changed a moment ago, and others may follow",
			},
		},
		"MissingAtFirst": {
			reason: "people make the key first and the workload then", missing: true,
			secrets: []Secret{secret("a", "1", 0)}, now: later,
			want: Outcome{State: UpToDate, Message: "Deployment ns/chat does not exist yet"},
		},
		"Missing": {
			reason: "it may be a slip, which somebody should hear of, and is no error of the key", missing: true,
			secrets: []Secret{secret("a", "2", 0)}, now: later,
			want: Outcome{
				State: RestartTargetNotFound, Again: 5 * time.Minute,
				Message: "Deployment ns/chat does not exist and is not restarted; create it, or take it out of spec.restartTargets",
			},
		},
		"GoneMeanwhile": {
			reason: "the same when it goes between the look and the patch", patchFails: gone,
			secrets: []Secret{secret("a", "2", 0)}, now: later, wantPatches: 1,
			want: Outcome{
				State: RestartTargetNotFound, Again: 5 * time.Minute,
				Message: "Deployment ns/chat does not exist and is not restarted; create it, or take it out of spec.restartTargets",
			},
		},
		"Refused": {
			reason: "an admission policy says no: a person must act, and the key works", patchFails: forbidden,
			secrets: []Secret{secret("a", "2", 0)}, now: later, wantPatches: 1,
			want: Outcome{
				State: RestartRefused, Again: 5 * time.Minute, Cause: forbidden,
				Message: "Deployment ns/chat may have pods with an older Secret, and the operator may not restart it; " +
					"allow the operator to get and patch it, or restart it yourself; the operator's log has the answer",
			},
		},
		"Conflict": {
			reason: "somebody changes the workload without pause: the caller tries again", patchFails: conflict,
			secrets: []Secret{secret("a", "2", 0)}, now: later, wantPatches: 1, is: apierrors.IsConflict,
		},
		"Unreachable": {
			reason: "what passes is the caller's to repeat", getFails: apierrors.NewServiceUnavailable("restarting"),
			secrets: []Secret{secret("a", "2", 0)}, now: later, is: apierrors.IsServiceUnavailable,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			objects := workloads()
			if tc.missing {
				objects = nil
			}
			var patches int
			got, err := cluster(&patches, tc.getFails, tc.patchFails, objects...).
				Restart(context.Background(), "ns", target, tc.secrets, tc.now)
			if tc.is != nil {
				if !tc.is(err) {
					t.Errorf("%s: got error %v", tc.reason, err)
				}
			} else if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			} else {
				tc.want.Target = target
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if patches != tc.wantPatches {
				t.Errorf("%s: %d patches, want %d", tc.reason, patches, tc.wantPatches)
			}
			if pending := got.Again > 0; pending != got.Pending() && err == nil {
				t.Errorf("%s: Pending is %t, and Again is %s", tc.reason, got.Pending(), got.Again)
			}
		})
	}
}

// TestKeysOfOneWorkload holds that whichever key looks first restarts for all.
func TestKeysOfOneWorkload(t *testing.T) {
	var patches int
	r := cluster(&patches, nil, nil, workloads()...)
	secrets := []Secret{secret("a", "2", 0), secret("b", "2", 2*time.Second), secret("c", "2", 4*time.Second)}
	for _, after := range []time.Duration{5, 9, 12, 15, 16, 30, 3600} {
		for range secrets { // one look of each key
			if _, err := r.Restart(context.Background(), "ns", target, secrets, changed.Add(after*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if patches != 1 {
		t.Errorf("three keys that changed together restarted their workload %d times", patches)
	}
}
