package workload

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

const (
	// startLag allows for what lies between reading a Secret and the start of the
	// container that is written down: the container's making, whole seconds, and
	// clocks that differ. It is less than settle, so that a pod which a restart made
	// is never taken for an old one.
	startLag = 5 * time.Second
	// refresh is how long the kubelet takes to show a changed Secret in a volume: its
	// sync period, a minute and up to half of one more by jitter, and its watch's lag.
	refresh = 2 * time.Minute
)

// Use is a Secret and the change of it that pods may not have seen.
type Use struct {
	SecretName string
	// Changed is when its data was changed last.
	Changed time.Time
	// Targets are workloads of the Secret's namespace that read it only when they
	// start, however it is mounted.
	Targets []v1alpha1.RestartTarget
}

// Holders are the names, sorted, of those of the pods that still run with the Secret
// as it was before the change. The pods are of the Secret's namespace.
//
// What the kubelet does is written in
// https://kubernetes.io/docs/concepts/configuration/secret/: a variable is read when
// the container starts, a mounted Secret is updated "as long as the kubelet sync
// period + cache propagation delay" later, and one mounted with subPath never while
// the container runs. A container that starts anew in an old pod finds the volume as
// it is then. So a container has read the Secret as it is now
//
//	from                                  when it started           and otherwise
//	env, envFrom                          5 s after the change      holds the old one
//	a mount with subPath, or of a target  2 min after the change    holds the old one
//	any other mount                       -                         for 2 min after the change
//
// and until the 5 s or 2 min have passed every container with such a reference counts,
// started or not: it may be starting with the old one at that moment. A pod that was
// created after the change, or that has finished, holds nothing. Pods that read the
// Secret from the API server cannot be known.
func Holders(pods []corev1.Pod, use Use, now time.Time) []string {
	var names []string
	for i := range pods {
		if use.heldBy(&pods[i], now) {
			names = append(names, pods[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

func (u Use) heldBy(pod *corev1.Pod, now time.Time) bool {
	switch {
	case pod.Status.Phase == corev1.PodSucceeded, pod.Status.Phase == corev1.PodFailed:
		return false
	case pod.CreationTimestamp.After(u.Changed.Add(startLag)):
		return false
	}
	volumes, startsOnly := volumesOf(pod, u.SecretName), u.isOfTarget(pod)
	started := startTimes(pod)
	for _, container := range containersOf(pod) {
		for _, reading := range u.readings(&container, volumes, startsOnly) {
			if reading.old(started[container.Name], now) {
				return true
			}
		}
	}
	return false
}

// reading is one way in which a container gets the Secret.
type reading struct {
	// fresh is from when on the kubelet hands out the Secret as it is now.
	fresh time.Time
	// once tells that the container reads when it starts and never again.
	once bool
}

// old tells whether a container may have the Secret as it was; started is zero when
// it does not run.
func (r reading) old(started, now time.Time) bool {
	return now.Before(r.fresh) || r.once && !started.IsZero() && started.Before(r.fresh)
}

// readings are the ways in which the container gets the Secret.
func (u Use) readings(container *corev1.Container, volumes []string, startsOnly bool) []reading {
	var found []reading
	if inEnvironment(container, u.SecretName) {
		found = append(found, reading{fresh: u.Changed.Add(startLag), once: true})
	}
	for _, mount := range container.VolumeMounts {
		if slices.Contains(volumes, mount.Name) {
			once := startsOnly || mount.SubPath != "" || mount.SubPathExpr != ""
			found = append(found, reading{fresh: u.Changed.Add(refresh), once: once})
		}
	}
	return found
}

func inEnvironment(container *corev1.Container, secret string) bool {
	return slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool {
		return v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil && v.ValueFrom.SecretKeyRef.Name == secret
	}) || slices.ContainsFunc(container.EnvFrom, func(from corev1.EnvFromSource) bool {
		return from.SecretRef != nil && from.SecretRef.Name == secret
	})
}

// volumesOf are the names of the pod's volumes that show the Secret.
func volumesOf(pod *corev1.Pod, secret string) []string {
	var names []string
	for i := range pod.Spec.Volumes {
		if volume := &pod.Spec.Volumes[i]; shows(volume, secret) {
			names = append(names, volume.Name)
		}
	}
	return names
}

func shows(volume *corev1.Volume, secret string) bool {
	if volume.Secret != nil {
		return volume.Secret.SecretName == secret
	}
	return volume.Projected != nil && slices.ContainsFunc(volume.Projected.Sources, func(s corev1.VolumeProjection) bool {
		return s.Secret != nil && s.Secret.Name == secret
	})
}

// containersOf are all that may run in the pod: sidecars are init containers.
func containersOf(pod *corev1.Pod) []corev1.Container {
	all := slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
	for i := range pod.Spec.EphemeralContainers {
		all = append(all, corev1.Container(pod.Spec.EphemeralContainers[i].EphemeralContainerCommon))
	}
	return all
}

// startTimes are when the containers that run now were started, by name.
func startTimes(pod *corev1.Pod) map[string]time.Time {
	started := map[string]time.Time{}
	status := &pod.Status
	for _, c := range slices.Concat(status.InitContainerStatuses, status.ContainerStatuses, status.EphemeralContainerStatuses) {
		if c.State.Running != nil {
			started[c.Name] = c.State.Running.StartedAt.Time
		}
	}
	return started
}

// isOfTarget tells whether the pod belongs to one of the targets. A Deployment owns its
// pods by a ReplicaSet that bears its name and the pod's template hash.
func (u Use) isOfTarget(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	if owner == nil || !strings.HasPrefix(owner.APIVersion, appsv1.GroupName+"/") {
		return false
	}
	kind, name := owner.Kind, owner.Name
	hash := "-" + pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	if kind == "ReplicaSet" && strings.HasSuffix(name, hash) {
		kind, name = "Deployment", strings.TrimSuffix(name, hash)
	}
	return slices.Contains(u.Targets, v1alpha1.RestartTarget{Kind: kind, Name: v1alpha1.ObjectName(name)})
}
