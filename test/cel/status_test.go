package cel

const readyStatus = `
observedGeneration: 1
conditions: [{type: Ready, status: "True", reason: Ready, message: ok, lastTransitionTime: "2026-01-01T00:00:00Z"}]
`

// statusTables hold the rules on status. Only the operator writes it, yet a rule
// that refuses what the operator means to say would leave people without an answer.
func statusTables() []table {
	return []table{
		{kind: "AIAgentRole", status: true, base: readyStatus, trials: map[string]trial{
			"applied": {
				reason: "What a role shows when it is Ready.",
				change: `{groupID: 00g1, issuer: "https://example.okta.com/oauth2/aus1", keys: 0, appliedRevision: abc, members: [{login: ada@example.com, state: Member, factors: [{factor: Push, state: Pending}]}]}`,
			},
		}},
		{kind: "AgentAPIKey", status: true, base: readyStatus, trials: map[string]trial{
			"scopes": {reason: "What a key shows when it is Ready.", change: `{clientID: 0oa12345, appID: 0oa12345, keyID: k1, scopes: [interact_with_chatbot]}`},
			"rotating": {
				reason: "What a key shows while the credential before is not gone yet.",
				change: `{keyID: k2, retiringKeyIDs: [k1], credentialCreatedAt: "2026-01-01T00:00:00Z", nextRotationAt: "2026-02-01T00:00:00Z", rotateRequest: "1"}`,
			},
		}},
		{kind: "AccessPolicy", status: true, base: readyStatus, trials: map[string]trial{
			"quarantine":  {reason: "What a Quarantine shows when all are cut off.", change: `quarantine: {targets: 3, blocked: 3, keys: [{namespace: a, name: b}], newTokensBlockedAt: "2026-01-01T00:00:00Z", exposureEndsAt: "2026-01-01T00:15:00Z"}`},
			"ceiling":     {reason: "What a Ceiling shows.", change: `ceiling: {namespaces: 0, keys: 0, violations: 1, violators: [{namespace: a, name: b}]}`},
			"conditional": {reason: "What a Conditional policy shows.", change: `conditional: {policyID: rst1, signOnPolicyID: 00p2, enrollmentPolicyID: 00p1, deviceAssuranceIDs: [dae1], keys: 0, apps: [{id: 0oa1, previousPolicyID: rst0}]}`},
		}},
		{kind: "AuditSink", status: true, base: readyStatus, trials: map[string]trial{
			"gap": {reason: "A gap is told.", change: `{startedAt: "2026-01-01T00:00:00Z", lastDeliveredEventTime: "2026-01-03T00:00:00Z", gaps: [{from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", reason: CursorRejected}]}`},
		}},
	}
}
