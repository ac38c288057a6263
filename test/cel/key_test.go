package cel

import (
	"maps"
	"strings"
)

func keyTable() table {
	t := table{kind: "AgentAPIKey", base: `
roleRef: {name: chatbot-user}
agent: {name: chatbot}
secret: {name: chatbot-okta}
`, trials: map[string]trial{
		"smallest":            {reason: "Role, agent and Secret are enough."},
		"client secret":       {reason: "For libraries that cannot sign.", change: `delivery: ClientSecret`},
		"access token":        {reason: "For agents that cannot ask for tokens.", change: `delivery: AccessToken`},
		"what is the default": {reason: "Saying the default is no wish for more.", change: `{state: Active, deletionPolicy: Delete, delivery: PrivateKeyJWT, driftPolicy: Enforce}`},
		"role elsewhere":      {reason: "Whether it is shared is found out later.", change: `roleRef: {namespace: roles}`},
		"owners":              {reason: "Several people may answer for an agent.", change: `agent: {owners: [ada@example.com, team-a], purpose: Answers customers}`},
		"suspended":           {reason: "A key may begin suspended.", change: `state: Suspended`},
		"expired":             {reason: "CEL knows no time; the key says Expired.", change: `expiresAt: "2020-01-01T00:00:00Z"`},
		"retained":            {reason: "The client outlives the key.", change: `deletionPolicy: Retain`},
		"drift told":          {reason: "People may want to decide themselves.", change: `driftPolicy: Report`},
		"adopted":             {reason: "A client that exists is taken over.", change: `adopt: {clientID: 0oa12345678}`},
		"restarted":           {reason: "A workload that reads once is started anew.", change: `restartTargets: [{kind: Deployment, name: chatbot}, {kind: StatefulSet, name: memory}]`},
		"role name in capitals": {
			reason: "No such role can exist.",
			change: `roleRef: {name: Chatbot}`, wantField: "spec.roleRef.name", wantMessage: "should match",
		},
		"owner twice": {
			reason: "A set has no order and no copies.",
			change: `agent: {owners: [ada, ada]}`, wantField: "spec.agent.owners[1]", wantMessage: "Duplicate value",
		},
		"restart with access token": {
			reason: "The workload would be restarted every few minutes.",
			change: `{delivery: AccessToken, restartTargets: [{kind: Deployment, name: chatbot}]}`, wantField: "spec",
			wantMessage: "restartTargets cannot be used with delivery AccessToken: the Secret changes every few minutes; remove restartTargets",
		},
		"restart of a pod": {
			reason: "Nobody would make it anew.",
			change: `restartTargets: [{kind: Pod, name: chatbot}]`, wantField: "spec.restartTargets[0].kind", wantMessage: "supported values",
		},
	}}
	maps.Copy(t.trials, secretTrials())
	maps.Copy(t.trials, rotationTrials())
	maps.Copy(t.trials, keyTransitions())
	return t
}

// secretTrials are about the name and the shape of the Secret.
func secretTrials() map[string]trial {
	return map[string]trial{
		"files":           {reason: "Saying the default is no wish for more.", change: `secret: {preset: Files}`},
		"environment":     {reason: "For envFrom.", change: `secret: {preset: Environment}`},
		"service binding": {reason: "For frameworks that know it.", change: `secret: {preset: ServiceBinding}`},
		"template of all characters": {
			reason: "What Kubernetes takes in a key of a Secret is taken.",
			change: `secret: {template: {config.json: "{{ .clientID }}", AGENT_ID: a, .netrc: b, a-b: c}}`,
		},
		"template of a path": {
			reason: "A Secret has no directories.",
			change: `secret: {template: {etc/agent.ini: a}}`, wantField: "spec.secret.template", wantMessage: "the keys of template become keys of the Secret: use at most 253 letters, digits",
		},
		"template of a long key": {
			reason: "Kubernetes takes 253 characters.",
			change: `secret: {template: {` + strings.Repeat("a", 254) + `: a}}`, wantField: "spec.secret.template", wantMessage: "at most 253 letters",
		},
		"template beside": {
			reason: "Kubernetes hides such a file's data behind links of that name.",
			change: `secret: {template: {..data: a}}`, wantField: "spec.secret.template", wantMessage: "nothing that begins with '..'",
		},
		"template of the directory itself": {
			reason: "It cannot be a file.",
			change: `secret: {template: {".": a}}`, wantField: "spec.secret.template", wantMessage: "the keys of template become keys of the Secret",
		},
		"preset and template": {
			reason: "The Secret has one shape.",
			change: `secret: {preset: Files, template: {a: b}}`, wantField: "spec.secret", wantMessage: "give either template or preset, not both",
		},
		"published where the operator keeps its own copy": {
			reason: "One of the two would be lost.",
			change: `secret: {name: chatbot.staged-credential}`, wantField: "spec.secret", wantMessage: "are the operator's own; choose another name",
		},
	}
}

func rotationTrials() map[string]trial {
	return map[string]trial{
		"on request only": {reason: "How long the previous credential stays may be said alone.", change: `rotation: {overlap: 0s}`},
		"by age": {
			reason: "All that can be said of a rotation.",
			change: `rotation: {every: 720h, overlap: 24h, maxOverlap: 24h, windows: [{start: "0 3 * * MON-FRI", duration: 1h, timeZone: Europe/Vienna}, {start: "*/5 0,12 1-7 1 ?", duration: 1m}]}`,
		},
		"most as long as the default least": {reason: "overlap gives way to maxOverlap when it is not said.", change: `rotation: {maxOverlap: 10m}`},
		"every minute": {
			reason: "Okta's limits do not allow it.",
			change: `rotation: {every: 1m}`, wantField: "spec.rotation.every", wantMessage: "every must be at least 1h",
		},
		"in days": {
			reason: "A day is no unit of Go's durations.", besides: "evaluating rule: every must be longer than overlap",
			change: `rotation: {every: 30d}`, wantField: "spec.rotation.every", wantMessage: "every must be at least 1h, in h, m or s, such as 720h",
		},
		"overlap below zero": {
			reason: "The past is over.",
			change: `rotation: {every: 720h, overlap: -1h}`, wantField: "spec.rotation.overlap", wantMessage: "overlap must not be negative",
		},
		"most below zero": {
			reason: "The past is over.",
			change: `rotation: {maxOverlap: -1h}`, wantField: "spec.rotation.maxOverlap", wantMessage: "maxOverlap must not be negative",
		},
		"most shorter than least": {
			reason: "One of the two would be broken.",
			change: `rotation: {overlap: 2h, maxOverlap: 1h}`, wantField: "spec.rotation", wantMessage: "maxOverlap must not be shorter than overlap",
		},
		"as often as they overlap": {
			reason: "Every rotation would wait for the one before.",
			change: `rotation: {every: 24h, overlap: 24h}`, wantField: "spec.rotation", wantMessage: "every must be longer than overlap",
		},
		"window of no length": {
			reason: "Nothing would ever be rotated.",
			change: `rotation: {every: 720h, windows: [{start: "0 3 * * *", duration: 1s}]}`, wantField: "spec.rotation.windows[0].duration", wantMessage: "duration must be at least 1m",
		},
		"window by a word": {
			reason: "Words are not standard.",
			change: `rotation: {windows: [{start: "@daily", duration: 1h}]}`, wantField: "spec.rotation.windows[0].start", wantMessage: "start must be a cron expression of five fields",
		},
		"window to the second": {
			reason: "Six fields are another language.",
			change: `rotation: {windows: [{start: "0 0 3 * * *", duration: 1h}]}`, wantField: "spec.rotation.windows[0].start", wantMessage: "start must be a cron expression of five fields",
		},
		"window with its zone": {
			reason: "The zone has a field of its own.",
			change: `rotation: {windows: [{start: "CRON_TZ=UTC 0 3 * * *", duration: 1h}]}`, wantField: "spec.rotation.windows[0].start", wantMessage: "start must be a cron expression of five fields",
		},
		"window of the node": {
			reason: "Nobody knows where the operator runs.",
			change: `rotation: {windows: [{start: "0 3 * * *", duration: 1h, timeZone: Local}]}`, wantField: "spec.rotation.windows[0].timeZone",
			wantMessage: "timeZone must be a name of the IANA time zone database, such as Europe/Berlin",
		},
	}
}

// keyTransitions are changes of a key that exists.
func keyTransitions() map[string]trial {
	const adopting = `{roleRef: {name: r}, agent: {name: a}, secret: {name: s}, adopt: {clientID: 0oa12345678}}`
	const binding = `{roleRef: {name: r}, agent: {name: a}, secret: {name: s, preset: ServiceBinding}}`
	const templated = `{roleRef: {name: r}, agent: {name: a}, secret: {name: s, template: {a: b}}}`
	return map[string]trial{
		"new role, same agent":  {reason: "An agent may get another role.", transition: true, change: `roleRef: {name: chatbot-admin}`},
		"agent renamed":         {reason: "Okta shows the new name.", transition: true, change: `agent: {name: other, purpose: Something else}`},
		"delivery said":         {reason: "It is the default that was there already.", transition: true, change: `delivery: PrivateKeyJWT`},
		"suspension":            {reason: "That is what it is for.", transition: true, change: `state: Suspended`},
		"rotation added":        {reason: "A credential may begin to age.", transition: true, change: `rotation: {every: 720h}`},
		"preset to template":    {reason: "Both have the same type of Secret.", transition: true, change: `secret: {template: {a: b}}`},
		"template to preset":    {reason: "Both have the same type of Secret.", transition: true, spec: templated, change: `secret: {template: null, preset: Environment}`},
		"binding stays":         {reason: "Nothing of the Secret changes.", transition: true, spec: binding, change: `agent: {name: other}`},
		"adoption stays":        {reason: "Nothing of the client changes.", transition: true, spec: adopting, change: `agent: {name: other}`},
		"deletion reconsidered": {reason: "Up to the end.", transition: true, change: `{deletionPolicy: Deactivate, driftPolicy: Report}`},

		"delivery changed": {
			reason: "The old client would have to become another one.", transition: true,
			change: `delivery: ClientSecret`, wantField: "spec", wantMessage: "delivery cannot be changed: a client authenticates in one way",
		},
		"key pair to token": {
			reason: "A pod that mounts the key would find none.", transition: true,
			change: `delivery: AccessToken`, wantField: "spec", wantMessage: "create a second key and move the agent",
		},
		"secret name changed": {
			reason: "Pods would lose the Secret they mount.", transition: true,
			change: `secret: {name: other}`, wantField: "spec", wantMessage: "secret.name cannot be changed: pods mount the Secret by its name",
		},
		"to a binding": {
			reason: "The type of a Secret is for ever.", transition: true,
			change: `secret: {preset: ServiceBinding}`, wantField: "spec", wantMessage: "preset cannot be changed to or from ServiceBinding",
		},
		"from a binding": {
			reason: "The type of a Secret is for ever.", transition: true, spec: binding,
			change: `secret: {preset: null}`, wantField: "spec", wantMessage: "preset cannot be changed to or from ServiceBinding",
		},
		"template to a binding": {
			reason: "The type of a Secret is for ever.", transition: true, spec: templated,
			change: `secret: {template: null, preset: ServiceBinding}`, wantField: "spec", wantMessage: "preset cannot be changed to or from ServiceBinding",
		},
		"adoption later": {
			reason: "The key has a client already.", transition: true,
			change: `adopt: {clientID: 0oa12345678}`, wantField: "spec", wantMessage: "adopt cannot be changed: a key has one client for life",
		},
		"adoption of another": {
			reason: "The first would be left behind.", transition: true, spec: adopting,
			change: `adopt: {clientID: 0oa87654321}`, wantField: "spec", wantMessage: "adopt cannot be changed: a key has one client for life",
		},
		"adoption taken back": {
			reason: "The client would be left behind.", transition: true, spec: adopting,
			change: `adopt: null`, wantField: "spec", wantMessage: "adopt cannot be changed: a key has one client for life",
		},
	}
}
