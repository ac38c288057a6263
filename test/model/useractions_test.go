package model

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

var (
	namespaces  = []string{"a", "b"}
	roleNames   = []ref{{"AIAgentRole", "a", "r0"}, {"AIAgentRole", "a", "r1"}, {"AIAgentRole", "b", "r0"}}
	keyNames    = []ref{{"AgentAPIKey", "a", "k0"}, {"AgentAPIKey", "a", "k1"}, {"AgentAPIKey", "b", "k0"}, {"AgentAPIKey", "b", "k1"}}
	permissions = []string{"p0", "p1", "p2", "p3"}
	deliveries  = []v1alpha1.Delivery{"", v1alpha1.DeliveryPrivateKeyJWT, v1alpha1.DeliveryClientSecret}
)

func userActions() []action {
	return []action{
		{"CreateRole", 20, createRole},
		{"CreateKey", 30, createKey},
		{"EditPermissions", 12, editPermissions},
		{"EditWords", 6, editWords},
		{"MoveKey", 10, moveKey},
		{"Share", 10, shareRole},
		{"LabelNamespace", 5, labelNamespace},
		{"DeleteKey", 10, deleteKey},
		{"DeleteRole", 6, deleteRole},
		{"DeleteSecret", 8, deleteSecret},
		{"EditSecret", 8, editSecret},
		{"TakeSecretName", 3, takeSecretName},
		{"FreeSecretName", 3, freeSecretName},
		{"WipeStatus", 5, wipeStatus},
	}
}

// said is what an attempt came to.
func said(err error, format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if err != nil {
		return text + " (refused: " + strings.SplitN(err.Error(), "\n", 2)[0] + ")"
	}
	return text
}

// chosen are permissions by the bits of a number; never none.
func chosen(bits, words int) []v1alpha1.Permission {
	var some []v1alpha1.Permission
	for i, name := range permissions {
		if bits>>i&1 == 1 {
			some = append(some, v1alpha1.Permission{Name: v1alpha1.PermissionName(name)})
		}
	}
	if len(some) == 0 {
		some = []v1alpha1.Permission{{Name: v1alpha1.PermissionName(permissions[0])}}
	}
	if words%4 == 1 {
		some[0].Description = "what it allows"
	}
	return some
}

func sharing(n int) *v1alpha1.Sharing {
	return []*v1alpha1.Sharing{
		nil, nil,
		{From: v1alpha1.ShareSame},
		{From: v1alpha1.ShareAll},
		{From: v1alpha1.ShareAll},
		{From: v1alpha1.ShareSelected, NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"agents": "yes"}}},
	}[n%6]
}

func shown(role *v1alpha1.AIAgentRole) string {
	from := v1alpha1.ShareFrom("Same")
	if role.Spec.ShareWith != nil {
		from = role.Spec.ShareWith.From
	}
	return fmt.Sprintf("%s/%s with %s, shared with %s", role.Namespace, role.Name, strings.Join(namesOf(role), " "), from)
}

func createRole(w *world, a args) string {
	name := roleNames[a.of(0, len(roleNames))]
	role := &v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.namespace, Name: name.name},
		Spec:       v1alpha1.AIAgentRoleSpec{Permissions: chosen(a[1], a[3]), ShareWith: sharing(a[2])},
	}
	if w.kube.objects[name] != nil {
		return ""
	}
	return said(w.kube.create(role), "a person creates AIAgentRole %s", shown(role))
}

func createKey(w *world, a args) string {
	name, role := keyNames[a.of(0, len(keyNames))], roleNames[a.of(1, len(roleNames))]
	if w.kube.objects[name] != nil {
		return ""
	}
	key := &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: name.namespace, Name: name.name},
		Spec: v1alpha1.AgentAPIKeySpec{
			RoleRef: roleRef(name, role), Agent: v1alpha1.Agent{Name: name.name},
			Delivery: deliveries[a.of(2, len(deliveries))], Secret: v1alpha1.SecretTarget{Name: secretName(name)},
		},
	}
	return said(w.kube.create(key), "a person creates %s of %s, delivery %q", name, role, key.Spec.Delivery)
}

func secretName(key ref) v1alpha1.ObjectName { return v1alpha1.ObjectName(key.name + "-okta") }

func roleRef(key, role ref) v1alpha1.RoleReference {
	r := v1alpha1.RoleReference{Name: v1alpha1.ObjectName(role.name)}
	if role.namespace != key.namespace {
		r.Namespace = v1alpha1.NamespaceName(role.namespace)
	}
	return r
}

// pick is one of the objects of a kind, nil when there is none.
func pick[T client.Object](w *world, kind string, n int) (T, bool) {
	var none T
	all := slices.DeleteFunc(w.kube.sorted(), func(r ref) bool { return r.kind != kind })
	if len(all) == 0 {
		return none, false
	}
	return clone(w.kube.objects[all[n%len(all)]]).(T), true
}

func editPermissions(w *world, a args) string {
	role, ok := pick[*v1alpha1.AIAgentRole](w, "AIAgentRole", a[0])
	if !ok {
		return ""
	}
	role.Spec.Permissions = chosen(a[1], a[2])
	return said(w.kube.update(role, false), "a person edits AIAgentRole %s", shown(role))
}

// editWords changes what is only for people to read.
func editWords(w *world, a args) string {
	if role, ok := pick[*v1alpha1.AIAgentRole](w, "AIAgentRole", a[0]); ok && a[1]%2 == 0 {
		role.Spec.DisplayName = fmt.Sprintf("role %d", a[2])
		return said(w.kube.update(role, false), "a person renames AIAgentRole %s to %q", role.Name, role.Spec.DisplayName)
	}
	key, ok := pick[*v1alpha1.AgentAPIKey](w, "AgentAPIKey", a[0])
	if !ok {
		return ""
	}
	key.Spec.Agent = v1alpha1.Agent{Name: fmt.Sprintf("agent %d", a[2]), Owners: []string{fmt.Sprintf("team-%d", a[3])}}
	return said(w.kube.update(key, false), "a person edits the agent of %s/%s", key.Namespace, key.Name)
}

func moveKey(w *world, a args) string {
	key, ok := pick[*v1alpha1.AgentAPIKey](w, "AgentAPIKey", a[0])
	if !ok {
		return ""
	}
	role := roleNames[a.of(1, len(roleNames))]
	key.Spec.RoleRef = roleRef(ref{"AgentAPIKey", key.Namespace, key.Name}, role)
	return said(w.kube.update(key, false), "a person moves %s/%s to %s", key.Namespace, key.Name, role)
}

func shareRole(w *world, a args) string {
	role, ok := pick[*v1alpha1.AIAgentRole](w, "AIAgentRole", a[0])
	if !ok {
		return ""
	}
	role.Spec.ShareWith = sharing(a[1])
	return said(w.kube.update(role, false), "a person shares AIAgentRole %s", shown(role))
}

func labelNamespace(w *world, a args) string {
	namespace, ok := pick[*corev1.Namespace](w, "Namespace", a[0])
	if !ok {
		return ""
	}
	if namespace.Labels["agents"] == "yes" {
		namespace.Labels = nil
	} else {
		namespace.Labels = map[string]string{"agents": "yes"}
	}
	return said(w.kube.update(namespace, false), "a person labels namespace %s %v", namespace.Name, namespace.Labels)
}

func deleteKey(w *world, a args) string {
	key, ok := pick[*v1alpha1.AgentAPIKey](w, "AgentAPIKey", a[0])
	if !ok {
		return ""
	}
	return said(w.kube.delete(key, nil), "a person deletes AgentAPIKey %s/%s", key.Namespace, key.Name)
}

func deleteRole(w *world, a args) string {
	role, ok := pick[*v1alpha1.AIAgentRole](w, "AIAgentRole", a[0])
	if !ok {
		return ""
	}
	return said(w.kube.delete(role, nil), "a person deletes AIAgentRole %s/%s", role.Namespace, role.Name)
}

func wipeStatus(w *world, a args) string {
	for _, r := range w.kube.sorted() {
		var err error
		switch obj := w.kube.objects[r].(type) {
		case *v1alpha1.AgentAPIKey:
			wiped := obj.DeepCopy()
			wiped.Status = v1alpha1.AgentAPIKeyStatus{}
			err = w.kube.update(wiped, true)
		case *v1alpha1.AIAgentRole:
			wiped := obj.DeepCopy()
			wiped.Status = v1alpha1.AIAgentRoleStatus{}
			err = w.kube.update(wiped, true)
		}
		w.must(err)
	}
	if a[0]%2 == 0 {
		return "somebody wipes every status"
	}
	w.restart(0)
	return "somebody wipes every status while the operator is down"
}
