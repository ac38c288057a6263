package model

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sunstructured "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// keysAreReadyWhenTheyWork holds Ready against what an agent can do with its Secret.
func keysAreReadyWhenTheyWork(v *view) error {
	for _, key := range v.keys {
		ready, reason := readiness(key.Status.Conditions)
		name := key.Namespace + "/" + key.Name
		blames := v.blamesOfKey(key)
		switch works := v.works(key); {
		case ready && works != "":
			return fmt.Errorf("%s is Ready, and %s", name, works)
		case ready:
		case works == "" && !slices.Contains(worksAnyway(), reason):
			return fmt.Errorf("%s works, and is not Ready: %s", name, reason)
		case !slices.Contains(blames, reason):
			return fmt.Errorf("%s is not Ready because of %s; the model blames %v", name, reason, blames)
		}
	}
	return nil
}

// works says why an agent gets no token with exactly the role's permissions; "" when
// it does.
func (v *view) works(key *v1alpha1.AgentAPIKey) string {
	secret := v.published(key)
	if secret == nil {
		return "it has no Secret"
	}
	f := files(secret.Data)
	role, why := v.role(key)
	if role == nil {
		if v.refusal(f, strings.Fields(string(f["scopes"]))) == "" {
			return "a token is granted although " + why
		}
		return "it has no role"
	}
	scopes := namesOf(role)
	if got := string(f["scopes"]); got != strings.Join(scopes, " ") {
		return "its Secret names the scopes " + got
	}
	if refusal := v.refusal(f, scopes); refusal != "" {
		return "a token is refused: " + refusal
	}
	for _, other := range permissions {
		if v.memory.anyRoleLost() {
			break // the policy of a role that was lost stands until the sweeper deletes it
		}
		if !slices.Contains(scopes, other) && v.refusal(f, append(slices.Clone(scopes), other)) == "" {
			return "a token is granted with more than the role's permissions"
		}
	}
	return ""
}

// worksAnyway are the reasons for which a key is not Ready although the Secret its
// agent has goes on working.
func worksAnyway() []string {
	return []string{
		// The role's controller is held up; what was granted stays.
		v1alpha1.ReasonWaitingForRole,
		// The published Secret works; the operator's own copy is somebody else's now.
		v1alpha1.ReasonSecretConflict,
		// What somebody changed does not keep the agent from working.
		v1alpha1.ReasonDrifted,
		// There is another credential on its way, and the one before stays.
		v1alpha1.ReasonCredentialLimit,
	}
}

// blamesOfKey are the reasons the model knows for a key not to be Ready.
func (v *view) blamesOfKey(key *v1alpha1.AgentAPIKey) []string {
	var blames []string
	blame := func(is bool, reasons ...string) {
		if is {
			blames = append(blames, reasons...)
		}
	}
	role, why := v.role(key)
	blame(role == nil, why)
	blame(role != nil && len(v.blamesOfRole(role)) > 0, v1alpha1.ReasonRoleNotReady, v1alpha1.ReasonWaitingForRole)
	published := v.kube.objects[ref{"Secret", key.Namespace, string(key.Spec.Secret.Name)}]
	blame(published != nil && v.published(key) == nil, v1alpha1.ReasonSecretConflict)
	app, found := v.app(key)
	did := v.memory.deeds(key.UID)
	blame(did.deactivated && found && app.Status != "ACTIVE", v1alpha1.ReasonDeactivatedInDirectory)
	// With both Secrets goes what says that it was the operator who suspended the key.
	m := v.memory.keys[key.UID]
	blame(m.stagedHurt && m.publishedHurt && found && app.Status != "ACTIVE", v1alpha1.ReasonDeactivatedInDirectory)
	blame(did.deleted && !found, v1alpha1.ReasonDeletedInDirectory)
	// A client that was made after the backup, and of which the Secrets prove nothing.
	restored := len(v.memory.keys[key.UID].restoredFrom) > 0
	blame(restored && v.staged(key) == nil && v.published(key) == nil, v1alpha1.ReasonDirectoryConflict)
	// What was deleted or suspended after the backup looks like a person's deed.
	blame(restored, v1alpha1.ReasonDeletedInDirectory, v1alpha1.ReasonDeactivatedInDirectory)
	blame(v.leftTo(key), v1alpha1.ReasonDirectoryConflict)
	blame(did.deactivated || did.stripped, v1alpha1.ReasonTokenRefused)
	reports := key.Spec.DriftPolicy == v1alpha1.DriftReport
	blame(did.stripped && reports, v1alpha1.ReasonRevokedInDirectory)
	blame((did.renamed || did.altered) && reports, v1alpha1.ReasonDrifted)
	blame(did.disowned, v1alpha1.ReasonDirectoryConflict)
	blame(v.quarantined(key), v1alpha1.ReasonQuarantined)
	blame(v.above(key), v1alpha1.ReasonCeilingExceeded)
	blame(key.Spec.State == v1alpha1.StateSuspended, v1alpha1.ReasonSuspended)
	blame(key.Spec.ExpiresAt != nil && !v.clock.Now().Before(key.Spec.ExpiresAt.Time), v1alpha1.ReasonExpired)
	blame(v.memory.names[desired.ClientID(cluster, key.Namespace, key.Name)], v1alpha1.ReasonDirectoryConflict)
	return blames
}

// leftTo tells that a namesake's client was left in Okta under the key's client id.
func (v *view) leftTo(key *v1alpha1.AgentAPIKey) bool {
	id := desired.ClientID(cluster, key.Namespace, key.Name)
	return slices.ContainsFunc(v.state.Apps, func(app oktasim.App) bool {
		m := v.memory.apps[app.ID]
		return app.ClientID == id && m != nil && m.owner != key.UID && v.memory.keys[m.owner].gone
	})
}

// blamesOfRole are the reasons the model knows for a role not to be Ready.
func (v *view) blamesOfRole(role *v1alpha1.AIAgentRole) []string {
	var blames []string
	if v.memory.names[inOkta(role)] {
		// Of a name that is taken Okta says no more than that; it may be the operator's own trace.
		blames = append(blames, v1alpha1.ReasonDirectoryConflict, v1alpha1.ReasonWaitingForDirectory)
	}
	for _, name := range namesOf(role) {
		if v.memory.scopes[name] {
			blames = append(blames, v1alpha1.ReasonDirectoryConflict)
		}
	}
	if v.ceiling() != nil && len(administered(role)) > 0 {
		blames = append(blames, v1alpha1.ReasonCeilingExceeded)
	}
	if v.isSwitchedOff(string(role.UID), "MFA_ENROLL") {
		blames = append(blames, v1alpha1.ReasonDeactivatedInDirectory)
	}
	for range v.unknownIn(role) {
		blames = append(blames, v1alpha1.ReasonUnknownMembers)
	}
	return blames
}

func rolesAreReadyWhenTheyStand(v *view) error {
	for _, role := range v.roles {
		ready, reason := readiness(role.Status.Conditions)
		name := role.Namespace + "/" + role.Name
		blames := v.blamesOfRole(role)
		stands := v.stands(role)
		switch {
		case ready && stands != "":
			return fmt.Errorf("role %s is Ready, and %s", name, stands)
		case !ready && !slices.Contains(blames, reason):
			return fmt.Errorf("role %s is not Ready because of %s; the model blames %v", name, reason, blames)
		}
	}
	return nil
}

// stands says what of a role is not in Okta; "" when all is.
func (v *view) stands(role *v1alpha1.AIAgentRole) string {
	if len(v.unknownIn(role)) > 0 {
		return "it names somebody whom nobody knows"
	}
	group := slices.ContainsFunc(v.state.Groups, func(g oktasim.Group) bool {
		return g.Name == inOkta(role) && strings.Contains(g.Description, "uid="+string(role.UID))
	})
	if !group {
		return "its group is not there"
	}
	for _, name := range namesOf(role) {
		if !slices.ContainsFunc(v.state.Scopes, func(s oktasim.Scope) bool { return s.ServerID == v.server && s.Name == name }) {
			return "scope " + name + " is not there"
		}
	}
	return ""
}

// noteReady remembers what the promises must hold later.
func (w *world) noteReady(v *view) {
	for _, key := range v.keys {
		ready, _ := readiness(key.Status.Conditions)
		published := v.published(key)
		if !ready || published == nil || w.memory.stale {
			continue
		}
		m := w.memory.keys[key.UID]
		m.credential = files(published.Data).credential()
		m.last = files(published.Data)
		// A request that waits for an overlap to end is carried out later.
		m.mayRotate = key.Annotations[v1alpha1.AnnotationRotate] != key.Status.RotateRequest
		m.stagedHurt, m.publishedHurt = false, false
	}
}

// settled is an object with conditions.
type settled interface {
	client.Object
	StatusConditions() *[]metav1.Condition
}

func statusesAgree(v *view) error {
	for _, r := range v.kube.sorted() {
		obj, is := v.kube.objects[r].(settled)
		if !is || v.agreed[r] == obj.GetResourceVersion() {
			continue
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		if err != nil {
			return err
		}
		u := &k8sunstructured.Unstructured{Object: content}
		u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(r.kind))
		result, err := status.Compute(u)
		if err != nil {
			return err
		}
		if want := wantStatus(obj); want != result.Status {
			return fmt.Errorf("kstatus of %s is %s, want %s", r, result.Status, want)
		}
		v.agreed[r] = obj.GetResourceVersion()
	}
	return nil
}

// wantStatus reads our own conditions by our own promise. At rest every object has
// been looked at in its present generation.
func wantStatus(obj settled) status.Status {
	conditions := *obj.StatusConditions()
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case obj.GetDeletionTimestamp() != nil:
		return status.TerminatingStatus
	case ready == nil || ready.ObservedGeneration != obj.GetGeneration():
		return status.UnknownStatus
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		return status.FailedStatus
	case ready.Status == metav1.ConditionTrue:
		return status.CurrentStatus
	}
	return status.InProgressStatus
}
