package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// Scheme has the four kinds and nothing else, and mapper few others beside them: of a Secret the
// client cannot even speak.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, v1alpha1.AddToScheme(scheme)
}

// operatorNamespace is where the operator is by default.
const operatorNamespace = "agent-identity-system"

// The kinds of what else is read, without a type.
func kindNamespace() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
}

func kindConfigMap() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
}

func kindLease() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"}
}

// mapper knows all kinds that are read, so that nothing is asked of the cluster to find them,
// and nothing else can be asked for.
func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion})
	for kind, resource := range map[string]string{
		"AIAgentRole": "aiagentroles", "AgentAPIKey": "agentapikeys", "AccessPolicy": "accesspolicies", "AuditSink": "auditsinks",
	} {
		v := v1alpha1.GroupVersion
		m.AddSpecific(v.WithKind(kind), v.WithResource(resource), v.WithResource(strings.ToLower(kind)), meta.RESTScopeNamespace)
	}
	m.Add(kindNamespace(), meta.RESTScopeRoot)
	m.Add(kindConfigMap(), meta.RESTScopeNamespace)
	m.Add(kindLease(), meta.RESTScopeNamespace)
	return m
}

// kinds are the four.
func kinds() []string { return []string{"AgentAPIKey", "AccessPolicy", "AIAgentRole", "AuditSink"} }

// listOf is a list of objects of one of the kinds, without their type.
func listOf(kind string) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
	return list
}

// annotate puts an annotation on an object, whatever else somebody changes of it meanwhile.
func annotate(ctx context.Context, c client.Client, o client.Object, name, value string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{name: value}}})
	if err != nil {
		return err
	}
	return c.Patch(ctx, o, client.RawPatch(types.MergePatchType, patch), client.FieldOwner("kubectl-agentid"))
}

// connect makes the client.
func (p *plugin) connect() (client.WithWatch, error) {
	if p.Connect != nil {
		return p.Connect()
	}
	config, err := p.flags.kube.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	config.UserAgent = "kubectl-agentid/" + p.Version
	config.QPS = -1 // the API server sees to fairness
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: mapper()})
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return c, nil
}

// namespace is where the person looks: -n, or that of the kubeconfig's context.
func (p *plugin) namespace() (string, error) {
	namespace, _, err := p.flags.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return namespace, nil
}

// scope is the namespace to list in; "" with -A.
func (p *plugin) scope() (string, error) {
	if p.flags.allNamespaces {
		return "", nil
	}
	return p.namespace()
}

// keyNamed reads "name" and "namespace/name".
func (p *plugin) keyNamed(arg string) (types.NamespacedName, error) {
	namespace, name, both := strings.Cut(arg, "/")
	if !both {
		here, err := p.namespace()
		return types.NamespacedName{Namespace: here, Name: arg}, err
	}
	if namespace == "" || name == "" || strings.Contains(name, "/") {
		return types.NamespacedName{}, misuse("%q is neither the name of a key nor namespace/name", arg)
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, nil
}

// keysNamed reads several, each once.
func (p *plugin) keysNamed(args []string) ([]types.NamespacedName, error) {
	var keys []types.NamespacedName
	for _, arg := range args {
		key, err := p.keyNamed(arg)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// getKey reads one key.
func (p *plugin) getKey(ctx context.Context, c client.Reader, at types.NamespacedName) (*v1alpha1.AgentAPIKey, error) {
	key := &v1alpha1.AgentAPIKey{}
	if err := c.Get(ctx, at, key); err != nil {
		return nil, explain(err, "AgentAPIKey", at)
	}
	return key, nil
}

// explain gives errors of the API server with what to do next.
func explain(err error, kind string, at types.NamespacedName) error {
	switch {
	case unknownToServer(err):
		return fmt.Errorf("the cluster knows no %s: is agent-identity-operator installed there (make install applies its CRDs)? %w", kind, err)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("no %s %s in namespace %s; %s", kind, at.Name, at.Namespace, whereElse(kind))
	case utilnet.IsConnectionRefused(err):
		return fmt.Errorf("nobody answers at the cluster's address; do --kubeconfig and --context name the right one? %w", err)
	case apierrors.IsForbidden(err) && at.Namespace == "":
		return fmt.Errorf("you may not do that in all namespaces; without -A it is asked for one: %w", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you may not do that in namespace %s; kubectl auth can-i --list -n %s tells what you may: %w",
			at.Namespace, at.Namespace, err)
	}
	return err
}

// unknownToServer tells a kind that the server does not have from an object that is not there.
func unknownToServer(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

func whereElse(kind string) string {
	if kind == "AIAgentRole" {
		return "kubectl agentid mfa status -A shows those of all namespaces"
	}
	return "kubectl agentid keys get -A shows those of all namespaces"
}

// none is what is said of an empty list.
func none(kinds, namespace string) string {
	if namespace == "" {
		return "no " + kinds + " in any namespace"
	}
	return fmt.Sprintf("no %s in namespace %s; -A looks in all", kinds, namespace)
}

// reasonNotSeen is ours: no status says it.
const reasonNotSeen = "NotSeen"

// readyOf is what the object says of itself now, and why.
func readyOf(conditions []metav1.Condition, generation int64) metav1.Condition {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: reasonNotSeen, Message: "the operator has not looked at it yet"}
	case ready.ObservedGeneration != generation:
		return metav1.Condition{
			Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonProgressing, Message: "the operator has not looked at the latest change yet",
		}
	}
	return *ready
}
