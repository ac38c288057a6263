package workload

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// KeysByTarget is the name of the field index from AgentAPIKeys to the workloads that
// they name, by TargetIndex: who restarts a workload must know all its keys.
const KeysByTarget = "spec.restartTargets"

// TargetIndex is the index value of a target. It lacks the namespace: ask within one.
func TargetIndex(target v1alpha1.RestartTarget) string {
	return target.Kind + "/" + string(target.Name)
}

// IndexKeysByTarget is the index function of KeysByTarget.
func IndexKeysByTarget(obj client.Object) []string {
	key, ok := obj.(*v1alpha1.AgentAPIKey)
	if !ok {
		return nil
	}
	values := make([]string, 0, len(key.Spec.RestartTargets))
	for _, target := range key.Spec.RestartTargets {
		values = append(values, TargetIndex(target))
	}
	return values
}
