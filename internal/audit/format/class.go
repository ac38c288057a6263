package format

import (
	"strings"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// class is a class of OCSF by its uid; the thousands are its category.
type class int

const (
	baseEvent            class = 0
	detectionFinding     class = 2004
	accountChange        class = 3001
	authentication       class = 3002
	authorizeSession     class = 3003
	entityManagement     class = 3004
	userAccessManagement class = 3005
	groupManagement      class = 3006
	apiActivity          class = 6003
)

func (c class) category() int { return int(c) / 1000 }

// other is the activity that a class does not know; unknown the one of no class.
const (
	unknown = 0
	other   = 99
)

// classify is the class of a type: that of the longest of its dotted beginnings that has
// one, or else what its category says. A type always has one class, whatever the event
// holds, so that a receiver can count on it.
func classify(eventType string) class {
	for beginning := eventType; beginning != ""; {
		if c, known := family(beginning); known {
			return c
		}
		beginning = beginning[:max(strings.LastIndexByte(beginning, '.'), 0)]
	}
	switch event.Category(eventType) {
	case v1alpha1.CategoryThreat:
		return detectionFinding
	case v1alpha1.CategoryToken:
		return authorizeSession
	case v1alpha1.CategorySignIn:
		return authentication
	case v1alpha1.CategoryClient, v1alpha1.CategoryAuthorizationServer, v1alpha1.CategoryPolicy, v1alpha1.CategoryRoleAndGroup,
		v1alpha1.CategoryAuditing, v1alpha1.CategoryOperator:
		return entityManagement
	default:
		return baseEvent
	}
}

// family is the class of all types that begin so, unless a longer beginning says otherwise.
func family(beginning string) (class, bool) {
	switch beginning {
	case "app.oauth2.invalid_client_credentials":
		return authentication, true
	case "user.account", "user.lifecycle", "user.mfa.factor", "user.credential", "credential", "app.user_management":
		return accountChange, true
	case "user.account.privilege", "user.privileged_account.privilege", "app.oauth2.client.privilege", "application.user_membership":
		return userAccessManagement, true
	case "group":
		return groupManagement, true
	case "agentidentity.detection":
		return detectionFinding, true
	case "system.idp", "system.mfa", "system.agent", "device", "pam", "system.feature", "system.hook", "inline_hook", "access", "pki",
		"system.custom_url_domain", "certification", "user.privileged_account":
		return entityManagement, true
	case "core.concurrency", "system.org.rate_limit", "system.client", "system.operation", "system.rate_limit",
		"policy.evaluate_sign_on", "policy.rule.action", "policy.auth_reevaluate", "policy.entity_risk", "policy.continuous_access":
		return apiActivity, true
	case "security.events.provider", "security.events.transmitter":
		return entityManagement, true
	case "security.events.provider.receive_event":
		return detectionFinding, true
	default:
		return 0, false
	}
}

// activity is what the class calls it that the last words of a type say.
func (c class) activity(eventType string) int {
	verb := eventType[strings.LastIndexByte(eventType, '.')+1:]
	switch c {
	case detectionFinding:
		return 1
	case authentication:
		return signing(verb)
	case authorizeSession:
		if strings.Contains(eventType, ".revoke") || strings.Contains(eventType, "detect_reuse") {
			return other
		}
		return 1
	case entityManagement:
		return managing(verb)
	case accountChange:
		return changing(eventType, verb)
	case userAccessManagement:
		return accessing(verb)
	case groupManagement:
		return grouping(eventType, verb)
	case apiActivity:
		return other
	default:
		return other
	}
}

func signing(verb string) int {
	switch verb {
	case "end", "clear", "expire", "slo", "universal_logout":
		return 2
	case "start", "auth", "sso", "authenticate", "verify", "signon", "invalid_client_credentials":
		return 1
	}
	if strings.HasPrefix(verb, "auth_via_") {
		return 1
	}
	return other
}

func managing(verb string) int {
	switch verb {
	case "create", "created", "add", "register", "generate", "clone", "grant":
		return 1
	case "read", "show", "read_client_secret", "read_config":
		return 2
	case "update", "updated", "rotate", "rollover", "change", "revoke", "overwrite":
		return 3
	case "delete", "deleted", "remove", "delete_all", "unregister":
		return 4
	case "enroll":
		return 6
	case "unenroll":
		return 7
	case "enable", "enabled":
		return 8
	case "disable", "disabled":
		return 9
	case "activate", "activated", "reactivate", "start":
		return 10
	case "deactivate", "deactivated":
		return 11
	default:
		return managingForAWhile(verb)
	}
}

func managingForAWhile(verb string) int {
	switch verb {
	case "suspend", "suspended":
		return 12
	case "unsuspend", "resume", "resumed":
		return 13
	default:
		return other
	}
}

func changing(eventType, verb string) int {
	if strings.HasPrefix(eventType, "user.mfa.factor.") {
		switch verb {
		case "activate", "unsuspend":
			return 10
		case "deactivate", "reset_all", "suspend":
			return 11
		}
	}
	return changingAccount(verb)
}

func changingAccount(verb string) int {
	switch verb {
	case "create":
		return 1
	case "activate", "reactivate", "unsuspend":
		return 2
	case "update_password":
		return 3
	case "reset_password", "expire_password", "password_mass_expiry":
		return 4
	case "deactivate", "suspend":
		return 5
	case "completed", "delete":
		return 6
	case "lock", "limit":
		return 9
	case "unlock", "unlock_by_admin", "unlock_token":
		return 12
	default:
		return other
	}
}

func accessing(verb string) int {
	switch verb {
	case "grant", "add", "approve", "provision", "restore":
		return 1
	case "revoke", "remove", "deprovision":
		return 2
	default:
		return other
	}
}

func grouping(eventType, verb string) int {
	switch eventType {
	case "group.user_membership.add":
		return 3
	case "group.user_membership.remove":
		return 4
	case "group.application_assignment.add":
		return 1
	case "group.application_assignment.remove":
		return 2
	}
	switch verb {
	case "grant":
		return 1
	case "revoke":
		return 2
	case "delete":
		return 5
	case "create":
		return 6
	default:
		return other
	}
}
