package workload

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pageSize is how many pods are in memory at once, at most.
const pageSize = 500

// +kubebuilder:rbac:groups="",resources=pods,verbs=list

// Pods asks the API server for pods, when it is asked itself.
type Pods struct {
	// Live reads from the API server: through a cache the first list would begin a
	// watch on every pod of the cluster.
	Live client.Reader
}

// Holders are the pods of the namespace that still run with the Secret as it was; see
// the function of that name. A namespace of many pods takes a call for every 500.
func (p Pods) Holders(ctx context.Context, namespace string, use Use, now time.Time) ([]string, error) {
	var names []string
	for token := ""; ; {
		var page corev1.PodList
		err := p.Live.List(ctx, &page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(token))
		if err != nil {
			return nil, fmt.Errorf("listing the pods of namespace %s: %w", namespace, err)
		}
		names = append(names, Holders(page.Items, use, now)...)
		if token = page.Continue; token == "" {
			slices.Sort(names)
			return names, nil
		}
	}
}

// AnyWith tells whether there is a pod of the namespace that has the Secret as a volume or
// in its environment, whether it runs or has ended. A namespace of many pods takes a
// call for every 500.
func (p Pods) AnyWith(ctx context.Context, namespace, secret string) (bool, error) {
	for token := ""; ; {
		var page corev1.PodList
		err := p.Live.List(ctx, &page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(token))
		if err != nil {
			return false, fmt.Errorf("listing the pods of namespace %s: %w", namespace, err)
		}
		for i := range page.Items {
			pod := &page.Items[i]
			reads := func(c corev1.Container) bool { return inEnvironment(&c, secret) }
			if len(volumesOf(pod, secret)) > 0 || slices.ContainsFunc(containersOf(pod), reads) {
				return true, nil
			}
		}
		if token = page.Continue; token == "" {
			return false, nil
		}
	}
}
