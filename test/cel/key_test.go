package cel

import "maps"

func keyTable() table {
	t := table{kind: "AgentAPIKey", base: `
roleRef: {name: chatbot-user}
agent: {name: chatbot}
secret: {name: chatbot-okta}
`, later: []string{`
rotation: {every: 720h, overlap: 24h, windows: [{start: "0 3 * * *", duration: 1h, timeZone: Europe/Vienna}]}
expiresAt: "2030-01-01T00:00:00Z"
state: Suspended
restartTargets: [{kind: Deployment, name: chatbot}]
driftPolicy: Report
adopt: {clientID: 0oa12345678}
`, `secret: {preset: Files}`, `secret: {template: {env: "{{ .ClientID }}"}}`}, trials: map[string]trial{
		"smallest":             {reason: "Role, agent and Secret are enough."},
		"client secret":        {reason: "The second delivery this release has.", change: `delivery: ClientSecret`},
		"what is the default":  {reason: "Saying the default is no wish for more.", change: `{state: Active, deletionPolicy: Delete, delivery: PrivateKeyJWT}`},
		"role elsewhere":       {reason: "Whether it is shared is found out later.", change: `roleRef: {namespace: roles}`},
		"owners":               {reason: "Several people may answer for an agent.", change: `agent: {owners: [ada@example.com, team-a], purpose: Answers customers}`},
		"new role, same agent": {reason: "An agent may get another role.", transition: true, change: `roleRef: {name: chatbot-admin}`},

		"role name in capitals": {
			reason: "No such role can exist.",
			change: `roleRef: {name: Chatbot}`, wantField: "spec.roleRef.name", wantMessage: "should match",
		},
		"owner twice": {
			reason: "A set has no order and no copies.",
			change: `agent: {owners: [ada, ada]}`, wantField: "spec.agent.owners[1]", wantMessage: "Duplicate value",
		},
		"preset and template": {
			reason: "The Secret has one shape.",
			change: `secret: {preset: Files, template: {a: b}}`, wantField: "spec.secret", wantMessage: "give either template or preset, not both",
			besides: "spec.secret.template and spec.secret.preset are not honoured",
		},
		"agent renamed": {
			reason: "Okta would show the old agent.", transition: true,
			change: `agent: {name: other}`, wantField: "spec", wantMessage: "spec.agent cannot be changed in this release",
		},
		"delivery changed": {
			reason: "The old client would have to become another one.", transition: true,
			change: `delivery: ClientSecret`, wantField: "spec", wantMessage: "delivery cannot be changed in this release",
		},
		"secret name changed": {
			reason: "Pods would lose the Secret they mount.", transition: true,
			change: `secret: {name: other}`, wantField: "spec", wantMessage: "secret.name cannot be changed in this release",
		},
	}}
	maps.Copy(t.trials, laterTrials())
	return t
}

// laterTrials are about what is not honoured yet. It is refused, never ignored.
func laterTrials() map[string]trial {
	return map[string]trial{
		"access token": {
			reason: "What is not honoured yet is refused, never ignored.",
			change: `delivery: AccessToken`, wantField: "spec", wantMessage: "use PrivateKeyJWT or ClientSecret",
		},
		"rotation": {
			reason: "A rotation that never comes is worse than none.",
			change: `rotation: {every: 720h}`, wantField: "spec", wantMessage: "spec.rotation is not honoured by this release: remove it",
		},
		"published where the operator keeps its own copy": {
			reason: "One of the two would be lost.",
			change: `secret: {name: chatbot.staged-credential}`, wantField: "spec.secret", wantMessage: "are the operator's own; choose another name",
		},
		"rotation each minute": {
			reason: "Okta's limits do not allow it.",
			change: `rotation: {every: 1m}`, wantField: "spec.rotation.every", wantMessage: "every must be at least 1h",
			besides: "spec.rotation is not honoured",
		},
		"overlap below zero": {
			reason: "There would be a moment without a key.",
			change: `rotation: {every: 720h, overlap: -1h}`, wantField: "spec.rotation.overlap", wantMessage: "overlap must not be negative",
			besides: "spec.rotation is not honoured",
		},
		"window of no length": {
			reason: "Nothing would ever be rotated.",
			change: `rotation: {every: 720h, windows: [{start: "0 3 * * *", duration: 1s}]}`, wantField: "spec.rotation.windows[0].duration", wantMessage: "duration must be at least 1m",
			besides: "spec.rotation is not honoured",
		},
		"expiry": {
			reason: "A key that looks as if it ended, and does not, is dangerous.",
			change: `expiresAt: "2030-01-01T00:00:00Z"`, wantField: "spec", wantMessage: "spec.expiresAt is not honoured by this release: remove it",
		},
		"suspended": {
			reason: "Whoever suspends a key must be told that it still works.",
			change: `state: Suspended`, wantField: "spec", wantMessage: "delete the key to stop its tokens",
		},
		"restart": {
			reason: "What is not honoured yet is refused, never ignored.",
			change: `restartTargets: [{kind: Deployment, name: chatbot}]`, wantField: "spec", wantMessage: "spec.restartTargets is not honoured by this release: remove it",
		},
		"retain": {
			reason: "The client would be deleted all the same.",
			change: `deletionPolicy: Retain`, wantField: "spec", wantMessage: "only deletionPolicy Delete is honoured by this release",
		},
		"drift policy": {
			reason: "What is not honoured yet is refused, never ignored.",
			change: `driftPolicy: Report`, wantField: "spec", wantMessage: "spec.driftPolicy is not honoured by this release: remove it",
		},
		"adoption": {
			reason: "A second client would be made beside the one to adopt.",
			change: `adopt: {clientID: 0oa12345678}`, wantField: "spec", wantMessage: "spec.adopt is not honoured by this release: remove it",
		},
		"preset": {
			reason: "The Secret would have another shape than asked for.",
			change: `secret: {preset: Files}`, wantField: "spec", wantMessage: "spec.secret.template and spec.secret.preset are not honoured",
		},
	}
}
