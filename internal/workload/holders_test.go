package workload

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

var (
	changed = time.Date(2026, time.May, 1, 12, 0, 0, 0, time.UTC)
	later   = changed.Add(time.Hour)
)

// The ways in which a container may get the Secret "okta".
var (
	byEnv = corev1.Container{Name: "c", Env: []corev1.EnvVar{{Name: "PLAIN", Value: "x"}, {
		Name: "ID", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "okta"}, Key: "client_id",
		}},
	}}}
	byEnvFrom = corev1.Container{Name: "c", EnvFrom: []corev1.EnvFromSource{
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "okta"}}},
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "okta"}}},
	}}
	byMount       = mounting("secret", "", "")
	bySubPath     = mounting("secret", "client_id", "")
	bySubPathExpr = mounting("projected", "", "$(FILE)")
)

func mounting(volume, subPath, expr string) corev1.Container {
	return corev1.Container{Name: "c", VolumeMounts: []corev1.VolumeMount{
		{Name: "other", MountPath: "/other", SubPath: "x"},
		{Name: volume, MountPath: "/okta", SubPath: subPath, SubPathExpr: expr},
	}}
}

// pod was made an hour before the change, with one container that started then.
func pod(container corev1.Container, changes ...func(*corev1.Pod)) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", CreationTimestamp: metav1.NewTime(changed.Add(-time.Hour))},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container},
			Volumes: []corev1.Volume{
				{Name: "other", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "other"}}},
				{Name: "empty", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
				{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "okta"}}},
				{Name: "projected", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
					Sources: []corev1.VolumeProjection{
						{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}},
						{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "okta"}}},
					},
				}}},
			},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	started(-time.Hour)(&p)
	for _, change := range changes {
		change(&p)
	}
	return p
}

func running(after time.Duration) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "c", State: corev1.ContainerState{
		Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(changed.Add(after))},
	}}
}

// started says when the container that runs now started, after the change.
func started(after time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{running(after)} }
}

func madeAt(after time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(changed.Add(after)) }
}

func phase(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Phase = phase }
}

func state(state corev1.ContainerState) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", State: state}} }
}

func ownedBy(apiVersion, kind, name, hash string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, Controller: ptr.To(true)}}
		if hash != "" {
			p.Labels = map[string]string{"pod-template-hash": hash}
		}
	}
}

// asInit makes the container an init container beside one that has nothing to do with it.
func asInit(policy *corev1.ContainerRestartPolicy) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers, []corev1.Container{{Name: "main"}}
		p.Spec.InitContainers[0].RestartPolicy = policy
		p.Status.InitContainerStatuses, p.Status.ContainerStatuses = p.Status.ContainerStatuses, nil
	}
}

func asEphemeral(p *corev1.Pod) {
	p.Spec.EphemeralContainers = []corev1.EphemeralContainer{
		{EphemeralContainerCommon: corev1.EphemeralContainerCommon(p.Spec.Containers[0])},
	}
	p.Spec.Containers = []corev1.Container{{Name: "main"}}
	p.Status.EphemeralContainerStatuses, p.Status.ContainerStatuses = p.Status.ContainerStatuses, nil
}

func TestHolders(t *testing.T) {
	waiting := state(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}})
	ended := state(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: metav1.NewTime(changed.Add(-time.Hour))}})
	early := changed.Add(time.Minute)
	tests := map[string]struct {
		reason string
		pod    corev1.Pod
		now    time.Time
		want   bool
	}{
		"Env":           {reason: "a variable is what it was at the start", pod: pod(byEnv), now: later, want: true},
		"EnvFrom":       {reason: "also when the whole Secret is taken", pod: pod(byEnvFrom), now: later, want: true},
		"SubPath":       {reason: "a subPath mount never follows", pod: pod(bySubPath), now: later, want: true},
		"SubPathExpr":   {reason: "nor one with an expression, of a projected volume", pod: pod(bySubPathExpr), now: later, want: true},
		"Mount":         {reason: "the kubelet has updated the files", pod: pod(byMount), now: later},
		"MountEarly":    {reason: "but it takes up to two minutes", pod: pod(byMount), now: changed.Add(2*time.Minute - 1), want: true},
		"MountInTime":   {reason: "and no longer", pod: pod(byMount), now: changed.Add(2 * time.Minute)},
		"Projected":     {reason: "a projected volume is updated too", pod: pod(mounting("projected", "", "")), now: later},
		"NotMounted":    {reason: "a volume that no container mounts is read by none", pod: pod(corev1.Container{Name: "c"}), now: early},
		"OtherSubPath":  {reason: "the subPath of another Secret says nothing", pod: pod(mounting("empty", "a", "")), now: early},
		"Succeeded":     {reason: "a pod that has finished runs nothing", pod: pod(byEnv, phase(corev1.PodSucceeded)), now: early},
		"Failed":        {reason: "nor one that has failed", pod: pod(byEnv, phase(corev1.PodFailed)), now: early},
		"Unknown":       {reason: "a pod on a lost node may run", pod: pod(byEnv, phase(corev1.PodUnknown)), now: later, want: true},
		"Restarted":     {reason: "the container has read the variable anew", pod: pod(byEnv, started(time.Minute)), now: later},
		"RestartedLate": {reason: "so has one that started just after the lag", pod: pod(byEnv, started(5*time.Second)), now: later},
		"StartedMeanwhile": {
			reason: "a start within seconds of the change may have read either",
			pod:    pod(byEnv, started(4*time.Second)), now: later, want: true,
		},
		"RestartedOnStaleVolume": {
			reason: "a container started anew in an old pod binds the file the volume shows, which may be the old one",
			pod:    pod(bySubPath, started(time.Minute)), now: later, want: true,
		},
		"RestartedOnFreshVolume": {
			reason: "after the refresh it is the new one",
			pod:    pod(bySubPath, started(2*time.Minute)), now: later,
		},
		"NewPodSubPath": {
			reason: "a pod made after the change has the volume made anew",
			pod:    pod(bySubPath, madeAt(10*time.Second), started(20*time.Second)), now: early,
		},
		"NewPodMount": {
			reason: "and need not be waited for", pod: pod(byMount, madeAt(10*time.Second), started(20*time.Second)), now: early,
		},
		"PodMadeMeanwhile": {
			reason: "clocks differ: a pod made within seconds counts as old",
			pod:    pod(bySubPath, madeAt(time.Second), started(8*time.Second)), now: later, want: true,
		},
		"Waiting":         {reason: "a container that waits reads when it starts", pod: pod(byEnv, waiting), now: later},
		"Ended":           {reason: "so does one that has ended", pod: pod(byEnv, ended), now: later},
		"NotReported":     {reason: "a container nobody has seen start has not", pod: pod(byEnv, phase(corev1.PodPending), func(p *corev1.Pod) { p.Status.ContainerStatuses = nil }), now: later},
		"WaitingJustNow":  {reason: "unless it may be starting with the old one this moment", pod: pod(byEnv, waiting), now: changed.Add(time.Second), want: true},
		"WaitingForMount": {reason: "also from a volume that is not refreshed yet", pod: pod(bySubPath, waiting), now: early, want: true},
		"Sidecar":         {reason: "a sidecar runs as long as the pod", pod: pod(byEnv, asInit(ptr.To(corev1.ContainerRestartPolicyAlways))), now: later, want: true},
		"Init":            {reason: "an init container that runs uses it", pod: pod(byEnv, asInit(nil)), now: later, want: true},
		"InitDone":        {reason: "one that is done does not", pod: pod(byEnv, ended, asInit(nil)), now: later},
		"Ephemeral":       {reason: "a debugging container counts", pod: pod(byEnv, asEphemeral), now: later, want: true},
		"Terminating":     {reason: "a pod being deleted runs until it is gone", pod: pod(byEnv, func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: changed} }), now: later, want: true},
		"TargetDeployment": {
			reason: "a restart target reads its files when it starts, so it has the old ones until restarted",
			pod:    pod(byMount, ownedBy("apps/v1", "ReplicaSet", "chat-7d9f", "7d9f")), now: later, want: true,
		},
		"TargetStatefulSet": {
			reason: "a StatefulSet owns its pods itself",
			pod:    pod(byMount, ownedBy("apps/v1", "StatefulSet", "mail", "")), now: later, want: true,
		},
		"TargetRestarted": {
			reason: "the pods of the restart are new",
			pod: pod(byMount, ownedBy("apps/v1", "ReplicaSet", "chat-8aaa", "8aaa"),
				madeAt(11*time.Second), started(12*time.Second)), now: early,
		},
		"NoTarget": {
			reason: "a Deployment whose name begins alike is another one",
			pod:    pod(byMount, ownedBy("apps/v1", "ReplicaSet", "chat-bot-7d9f", "7d9f")), now: later,
		},
		"ForeignKind": {
			reason: "a StatefulSet of another group is not restarted, and follows its mount as any pod",
			pod:    pod(byMount, ownedBy("apps.kruise.io/v1beta1", "StatefulSet", "mail", "")), now: later,
		},
	}
	use := Use{SecretName: "okta", Changed: changed, Targets: []v1alpha1.RestartTarget{
		{Kind: "Deployment", Name: "chat"}, {Kind: "StatefulSet", Name: "mail"},
	}}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := len(Holders([]corev1.Pod{tc.pod}, use, tc.now)) > 0
			if got != tc.want {
				t.Errorf("%s: holds the old Secret: got %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// TestPods holds that every page is looked at, that only the namespace is, and that the
// names come sorted: they stand in a condition.
func TestPods(t *testing.T) {
	const pages = 3
	list := func(_ context.Context, _ client.WithWatch, out client.ObjectList, opts ...client.ListOption) error {
		asked := client.ListOptions{}
		asked.ApplyOptions(opts)
		if asked.Namespace != "ns" || asked.Limit != pageSize {
			t.Errorf("asked for namespace %q with limit %d", asked.Namespace, asked.Limit)
		}
		page, _ := strconv.Atoi(asked.Continue)
		podList, _ := out.(*corev1.PodList)
		named := func(name string, c corev1.Container) corev1.Pod {
			return pod(c, func(p *corev1.Pod) { p.Name = name })
		}
		podList.Items = []corev1.Pod{named("p"+strconv.Itoa(pages-page), byEnv), named("m"+strconv.Itoa(page), byMount)}
		if page++; page < pages {
			podList.Continue = strconv.Itoa(page)
		}
		return nil
	}
	live := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{List: list}).Build()
	got, err := Pods{Live: live}.Holders(context.Background(), "ns", Use{SecretName: "okta", Changed: changed}, later)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"p1", "p2", "p3"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
