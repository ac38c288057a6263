package event

import (
	"strings"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// OperatorPrefix begins the types of events of the operator's own.
const OperatorPrefix = "agentidentity."

// Category is the group that a type belongs to: that of the longest of its dotted
// beginnings that has one. A type that Okta invents tomorrow thus goes with its family.
func Category(eventType string) v1alpha1.EventCategory {
	for beginning := eventType; beginning != ""; {
		if c := family(beginning); c != "" {
			return c
		}
		at := strings.LastIndexByte(beginning, '.')
		beginning = beginning[:max(at, 0)]
	}
	return v1alpha1.CategoryOther
}

// family is the category of all types that begin so, unless a longer beginning says
// otherwise. It is told by what an event means to whoever watches agents, not by
// which of Okta's products writes it.
func family(beginning string) v1alpha1.EventCategory {
	switch beginning {
	case "agentidentity":
		return v1alpha1.CategoryOperator
	case "app.oauth2.as.token", "app.oauth2.token", "app.oauth2.invalid_client_credentials",
		"app.oauth2.as.authorize", "app.oauth2.authorize", "app.oauth2.as.interact", "app.oauth2.interact", "app.oauth2.as.evaluate":
		return v1alpha1.CategoryToken
	case "app.oauth2", "application.lifecycle", "application.configuration", "application.integration", "app.app_instance", "app.keys",
		"app.interclient_mapping", "app.cross_app_access", "app.ai_agent_provider", "integration.api_service", "workload_principal":
		return v1alpha1.CategoryClient
	case "oauth2", "resource_servers", "app.oauth2.as.key", "app.oauth2.key", "app.oauth2.as.resource_server", "app.oauth2.trusted_server":
		return v1alpha1.CategoryAuthorizationServer
	case "policy", "application.policy", "app.policy", "device.assurance", "zone", "network_zone", "security.zone",
		"security.attack_protection", "security.authenticator", "security.behavior.settings", "security.bot_protection",
		"security.device", "security.protected_action.settings", "security.session_protection", "security.threat.configuration",
		"security.trusted_origin", "security.voice":
		return v1alpha1.CategoryPolicy
	case "group", "iam", "application.user_membership", "user.account.privilege", "user.privileged_account":
		return v1alpha1.CategoryRoleAndGroup
	case "user.session", "user.device_session", "user.authentication", "user.account", "user.mfa", "user.credential",
		"user.identity_verification", "user.internal", "credential", "core.user_auth", "system.idp", "system.mfa", "app.oauth2.signon",
		"app.generic.unauth_app_access_attempt":
		return v1alpha1.CategorySignIn
	case "security", "user.risk", "user.internal.risk", "user.behavior", "user.account.report_suspicious_activity_by_enduser",
		"system.api_token.request_outside_allowed_range", "system.oauth2.token.request_outside_allowed_range":
		return v1alpha1.CategoryThreat
	case "system.log_stream", "system.api_token", "event_hook":
		return v1alpha1.CategoryAuditing
	default:
		return ""
	}
}
