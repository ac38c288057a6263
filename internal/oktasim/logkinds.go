package oktasim

// eventKinds are the types of events the org writes, from Okta's catalogue, with the
// message of each. What Okta's messages are for most of them is not known: these are the
// descriptions of the catalogue, shortened.
func eventKinds() map[string]string {
	kinds := map[string]string{}
	for _, part := range []map[string]string{clientEventKinds(), accessEventKinds(), peopleEventKinds(), iamEventKinds()} {
		for name, message := range part {
			kinds[name] = message
		}
	}
	return kinds
}

func clientEventKinds() map[string]string {
	return map[string]string{
		appCreated:     "Create application",
		appUpdated:     "Update application",
		appDeleted:     "Delete application",
		appActivated:   "Activate application",
		appDeactivated: "Deactivate application",

		clientCreated:     "Create OAuth client",
		clientUpdated:     "Update OAuth client",
		clientDeleted:     "Delete OAuth client",
		clientActivated:   "Activate OAuth client",
		clientDeactivated: "Deactivate OAuth client",

		credentialCreated:     "Create OAuth client credentials",
		credentialDeleted:     "Delete OAuth client credentials",
		credentialActivated:   "Activate OAuth client credentials",
		credentialDeactivated: "Deactivate OAuth client credentials",
		secretsRead:           "Read OAuth client's secret(s)",

		consentGranted: "Administrator consent granted for scope",
		consentRevoked: "Administrator consent revoked for scope",
		apiTokenMade:   "Create API token",

		tokenGranted:     "OAuth2 access token is granted",
		tokenRequested:   "OAuth2 token request",
		tokenRevoked:     "OAuth2 token revocation request",
		codeGranted:      "OAuth2 authorization code request",
		orgTokenGranted:  "OIDC access token is granted",
		orgTokenRequest:  "OIDC token request",
		limitWarned:      "Rate limit warning",
		limitViolated:    "Rate limit violation",
		concurrencyLimit: "Too many requests in flight",
	}
}

func accessEventKinds() map[string]string {
	return map[string]string{
		"oauth2.as.created": "Authorization server is created", "oauth2.as.updated": "Authorization server is updated",
		"oauth2.as.deleted": "Authorization server is deleted", "oauth2.as.activated": "Authorization server is activated",
		"oauth2.as.deactivated": "Authorization server is deactivated",
		"oauth2.scope.created":  "OAuth2 scope is created", "oauth2.scope.updated": "OAuth2 scope is updated",
		"oauth2.scope.deleted": "OAuth2 scope is deleted",

		policyCreated: "Create policy", policyUpdated: "Update policy", policyDeleted: "Delete policy",
		policyActivated: "Activate policy", policyDeactivated: "Deactivate policy",
		ruleAdded: "Add policy rule", ruleUpdated: "Update policy rule", ruleDeleted: "Delete policy rule",
		ruleActivated: "Activate policy rule", ruleDeactivated: "Deactivate policy rule",
		appPolicyUpdated: "Update app sign on policy",

		"zone.create": "Network zone create", "zone.update": "Network zone update", "zone.delete": "Network zone delete",
		"zone.activate": "Network zone activate", "zone.deactivate": "Network zone deactivate",
		"device.assurance.policy.add":    "Add device assurance policy",
		"device.assurance.policy.update": "Update device assurance policy",
		"device.assurance.policy.delete": "Delete device assurance policy",

		authenticatorOn: "Authenticator is activated", authenticatorOff: "Authenticator is deactivated",
		requestBlocked: "Security request blocked",
	}
}

func peopleEventKinds() map[string]string {
	return map[string]string{
		groupCreated: "Create Okta group", groupUpdated: "Okta group profile updated", groupDeleted: "Delete Okta group",
		memberAdded: "Add user to group membership", memberRemoved: "Remove user from group membership",

		userCreated: "Create Okta user", userActivated: "Activate Okta user", userReactivated: "Reactivate Okta user",
		userSuspend: "Suspend Okta user", userUnsuspend: "Unsuspend Okta user", userDeactivated: "Deactivate Okta user",
		userLocked: "Max sign in attempts exceeded", userUnlocked: "User account unlock by admin",
		userPasswordReset: "User's Okta password has been reset", userPasswordExpired: "User's Okta password is expired",
		userProfileUpdated: "Update user profile for Okta",
		userDeleteStarted:  "Delete Okta user initiated", userDeleteDone: "Delete Okta user completed",

		factorActivated: "Activate factor for user", factorDeactivated: "Reset factor for user",
		smsSent: "Send second factor auth SMS", mailSent: "An email was sent to a user for verification",

		sessionStarted: "User login to Okta", signOnEvaluated: "Evaluation of sign-on policy",
		factorVerified: "Authentication of user via MFA", appEntered: "User single sign on to app",
		appDenied: "Deny user access due to app sign on policy",
	}
}

// The types of events.
const (
	appCreated     = "application.lifecycle.create"
	appUpdated     = "application.lifecycle.update"
	appDeleted     = "application.lifecycle.delete"
	appActivated   = "application.lifecycle.activate"
	appDeactivated = "application.lifecycle.deactivate"

	clientCreated     = "app.oauth2.client.lifecycle.create"
	clientUpdated     = "app.oauth2.client.lifecycle.update"
	clientDeleted     = "app.oauth2.client.lifecycle.delete"
	clientActivated   = "app.oauth2.client.lifecycle.activate"
	clientDeactivated = "app.oauth2.client.lifecycle.deactivate"

	credentialCreated     = "app.oauth2.credentials.lifecycle.create"
	credentialDeleted     = "app.oauth2.credentials.lifecycle.delete"
	credentialActivated   = "app.oauth2.credentials.lifecycle.activate"
	credentialDeactivated = "app.oauth2.credentials.lifecycle.deactivate"
	secretsRead           = "app.oauth2.client.read_client_secret"

	consentGranted = "app.oauth2.admin.consent.grant"
	consentRevoked = "app.oauth2.admin.consent.revoke"
	apiTokenMade   = "system.api_token.create"

	tokenGranted     = "app.oauth2.as.token.grant.access_token"
	tokenRequested   = "app.oauth2.as.token.grant"
	tokenRevoked     = "app.oauth2.as.token.revoke"
	codeGranted      = "app.oauth2.as.authorize.code"
	orgTokenGranted  = "app.oauth2.token.grant.access_token"
	orgTokenRequest  = "app.oauth2.token.grant"
	limitWarned      = "system.org.rate_limit.warning"
	limitViolated    = "system.org.rate_limit.violation"
	concurrencyLimit = "core.concurrency.org.limit.violation"

	policyCreated     = "policy.lifecycle.create"
	policyUpdated     = "policy.lifecycle.update"
	policyDeleted     = "policy.lifecycle.delete"
	policyActivated   = "policy.lifecycle.activate"
	policyDeactivated = "policy.lifecycle.deactivate"
	ruleAdded         = "policy.rule.add"
	ruleUpdated       = "policy.rule.update"
	ruleDeleted       = "policy.rule.delete"
	ruleActivated     = "policy.rule.activate"
	ruleDeactivated   = "policy.rule.deactivate"
	appPolicyUpdated  = "application.policy.sign_on.update"

	authenticatorOn  = "security.authenticator.lifecycle.activate"
	authenticatorOff = "security.authenticator.lifecycle.deactivate"
	requestBlocked   = "security.request.blocked"

	groupCreated  = "group.lifecycle.create"
	groupUpdated  = "group.profile.update"
	groupDeleted  = "group.lifecycle.delete"
	memberAdded   = "group.user_membership.add"
	memberRemoved = "group.user_membership.remove"

	userCreated         = "user.lifecycle.create"
	userActivated       = "user.lifecycle.activate"
	userReactivated     = "user.lifecycle.reactivate"
	userSuspend         = "user.lifecycle.suspend"
	userUnsuspend       = "user.lifecycle.unsuspend"
	userDeactivated     = "user.lifecycle.deactivate"
	userLocked          = "user.account.lock"
	userUnlocked        = "user.account.unlock_by_admin"
	userPasswordReset   = "user.account.reset_password"
	userPasswordExpired = "user.account.expire_password"
	userProfileUpdated  = "user.account.update_profile"
	userDeleteStarted   = "user.lifecycle.delete.initiated"
	userDeleteDone      = "user.lifecycle.delete.completed"

	factorActivated   = "user.mfa.factor.activate"
	factorDeactivated = "user.mfa.factor.deactivate"
	smsSent           = "system.sms.send_factor_verify_message"
	mailSent          = "system.email.send_factor_verify_message"

	sessionStarted  = "user.session.start"
	signOnEvaluated = "policy.evaluate_sign_on"
	factorVerified  = "user.authentication.auth_via_mfa"
	appEntered      = "user.authentication.sso"
	appDenied       = "application.policy.sign_on.deny_access"
)
