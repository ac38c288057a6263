package aiagentrole

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// +kubebuilder:rbac:groups="",resources=secrets,verbs=get

// phones gives members the numbers that the role's Secret has of them, and says what is
// wrong with it. Only what is right is sent anywhere. The Secret is people's own and stands
// in no cache: it is read whenever the factors are looked at.
func (c *Controller) phones(ctx context.Context, role *v1alpha1.AIAgentRole, want desired.Role, members []plan.MemberFactors) error {
	name := phoneSecret(role)
	if name == "" {
		return nil
	}
	contested, err := c.contested(ctx, role)
	if err != nil {
		return err
	}
	secret := &corev1.Secret{}
	err = c.Live.Get(keysecret.Unlogged(ctx), client.ObjectKey{Namespace: role.Namespace, Name: name}, secret)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the phone numbers in Secret %s/%s: %w", role.Namespace, name, err)
	}
	phones := desired.PhonesOf(secret.Data, want.Members)
	for i := range members {
		login := strings.ToLower(members[i].Person.Login)
		phone := phones[login]
		members[i].Phone, members[i].Contested = phone.Number, contested[login]
		switch {
		case apierrors.IsNotFound(err):
			members[i].Refused[identity.FactorSMS] = fmt.Errorf("there is no Secret %s; create it, or remove mfa.phoneNumbersSecretRef", name)
		case phone.Wrong != "":
			members[i].Refused[identity.FactorSMS] = errors.New("of Secret " + name + ", " + phone.Wrong)
		}
	}
	return nil
}

// contested are the logins that other roles have enrolled with the number of another Secret.
// Roles that are being deleted, that only watch, or that may not name the person do not.
func (c *Controller) contested(ctx context.Context, role *v1alpha1.AIAgentRole) (map[string]bool, error) {
	var roles v1alpha1.AIAgentRoleList
	if err := c.Client.List(ctx, &roles, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the roles: %w", err)
	}
	look, logins := c.Restraints.Look(), map[string]bool{}
	for i := range roles.Items {
		other := &roles.Items[i]
		same := other.Namespace == role.Namespace && phoneSecret(other) == phoneSecret(role)
		want := desired.RoleOf(other, c.Settings)
		if phoneSecret(other) == "" || same || !want.StartFactors || !other.DeletionTimestamp.IsZero() {
			continue
		}
		if err := limitPeople(ctx, look, &want); err != nil {
			return nil, err
		}
		for _, login := range want.Members {
			logins[login] = true
		}
	}
	return logins, nil
}

// phoneSecret is the name of the role's Secret of phone numbers; "" when it has none.
func phoneSecret(role *v1alpha1.AIAgentRole) string {
	if role.Spec.MFA == nil || role.Spec.MFA.PhoneNumbersSecretRef == nil {
		return ""
	}
	return string(role.Spec.MFA.PhoneNumbersSecretRef.Name)
}

// elsewhere says where else a number was looked for that the person does not have.
func elsewhere(role *v1alpha1.AIAgentRole, person identity.Person, e *identity.Error) string {
	name := phoneSecret(role)
	if name == "" || e.Reason != identity.ReasonNoPhoneNumber {
		return ""
	}
	return fmt.Sprintf(", and Secret %s has none at the key %s", name, desired.PhoneKey(person.Login))
}
