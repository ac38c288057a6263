package cel

import "maps"

// The bases of the two types of AccessPolicy that are not in policyTable's base.
const (
	ceiling = `
type: Ceiling
ceiling: {namespaceSelector: {matchLabels: {team: a}}, deliveries: [PrivateKeyJWT]}
`
	quarantine = `
type: Quarantine
quarantine: {targets: {keys: [{namespace: a, name: chatbot}]}, reason: "Key found on a paste site"}
`
	selecting = `
type: Quarantine
quarantine: {targets: {selector: {namespaces: [a], maxTargets: 10}}, reason: "Node of team a taken over"}
`
)

func policyTable() table {
	t := table{kind: "AccessPolicy", base: `
type: Conditional
conditional:
  roleRefs: [{name: chatbot-user}, {name: chatbot-admin, namespace: roles}]
  signIn:
    apps: [{label: Chatbot}]
    rules: [{name: compliant}]
`, trials: unionTrials()}
	for _, more := range []map[string]trial{signInTrials(), proofTrials(), deviceTrials(), agentTrials(), ceilingTrials(), quarantineTrials()} {
		maps.Copy(t.trials, more)
	}
	return t
}

func unionTrials() map[string]trial {
	return map[string]trial{
		"conditional": {reason: "The smallest one for people: roles, apps and a rule."},
		"ceiling":     {reason: "The smallest ceiling limits one thing.", spec: ceiling},
		"quarantine":  {reason: "The smallest quarantine: a key and why.", spec: quarantine},
		"unknown type": {
			reason: "A typing error must not make a policy that does nothing.",
			change: `type: Conditonal`, wantField: "spec.type", wantMessage: `supported values: "Conditional", "Ceiling", "Quarantine"`,
		},
		"conditional without its member": {
			reason: "The policy would do nothing.",
			change: `conditional: null`, wantField: "spec", wantMessage: "spec.conditional is required when spec.type is Conditional",
		},
		"ceiling without its member": {
			reason: "The policy would do nothing.", spec: ceiling,
			change: `ceiling: null`, wantField: "spec", wantMessage: "spec.ceiling is required when spec.type is Ceiling",
		},
		"quarantine without its member": {
			reason: "The keys would go on.", spec: quarantine,
			change: `quarantine: null`, wantField: "spec", wantMessage: "spec.quarantine is required when spec.type is Quarantine",
		},
		"conditional with a foreign member": {
			reason: "Half of what was written would be ignored.",
			change: `ceiling: {namespaceSelector: {}, owners: Required}`, wantField: "spec", wantMessage: "spec.ceiling is required when spec.type is Ceiling, and forbidden otherwise",
		},
		"type changed": {
			reason: "What the old type made in Okta would be left.", transition: true,
			change:    `{type: Ceiling, conditional: null, ceiling: {namespaceSelector: {}, owners: Required}}`,
			wantField: "spec", wantMessage: "spec.type cannot be changed",
		},
		"rules changed": {
			reason: "Everything but the type may change.", transition: true,
			change: `conditional: {signIn: {rules: [{name: other}]}}`,
		},
	}
}

func signInTrials() map[string]trial {
	return map[string]trial{
		"neither people nor agents": {
			reason: "The policy would bind nobody.",
			change: `conditional: {signIn: null}`, wantField: "spec.conditional", wantMessage: "give signIn (for people), agents (for agents) or both",
		},
		"rule for some of the roles": {
			reason: "Administrators prove more than users.",
			change: `conditional: {signIn: {rules: [{name: admins, roleRefs: [{name: chatbot-admin, namespace: roles}]}, {name: users}]}}`,
		},
		"rule for a role elsewhere": {
			reason: "The same name in another namespace is another role.",
			change: `conditional: {signIn: {rules: [{name: admins, roleRefs: [{name: chatbot-admin}]}]}}`, wantField: "spec.conditional", wantMessage: "signIn.rules may name only roles that roleRefs names",
		},
		"role twice": {
			reason: "One of the two is most likely a typing error.",
			change: `conditional: {roleRefs: [{name: a}, {name: a}]}`, wantField: "spec.conditional.roleRefs", wantMessage: "roleRefs names a role twice",
		},
		"two roles of one name": {
			reason: "They are in different namespaces.",
			change: `conditional: {roleRefs: [{name: a}, {name: a, namespace: b}]}`,
		},
		"app by id": {reason: "A label need not be unique.", change: `conditional: {signIn: {apps: [{id: 0oa1b2c3d4}]}}`},
		"app by label and id": {
			reason: "They could point at two apps.",
			change: `conditional: {signIn: {apps: [{label: Chatbot, id: 0oa1}]}}`, wantField: "spec.conditional.signIn.apps[0]", wantMessage: "exactly one of the fields in [label id] must be set",
		},
		"app by nothing": {
			reason: "No app is meant.",
			change: `conditional: {signIn: {apps: [{}]}}`, wantField: "spec.conditional.signIn.apps[0]", wantMessage: "exactly one of the fields in [label id] must be set",
		},
		"app twice": {
			reason: "One of the two is most likely a typing error.",
			change: `conditional: {signIn: {apps: [{label: Chatbot}, {label: Chatbot}]}}`, wantField: "spec.conditional.signIn.apps", wantMessage: "apps names an app twice",
		},
		"rule name twice": {
			reason: "In Okta, rules are known by their names.",
			change: `conditional: {signIn: {rules: [{name: a}, {name: b}, {name: a}]}}`, wantField: "spec.conditional.signIn.rules", wantMessage: "two of rules have the same name",
		},
		"every situation": {
			reason: "All conditions can be given together.",
			change: `conditional: {signIn: {rules: [{name: a, when: {networkZones: {allow: [Office]}, riskLevels: [Low, Medium], platforms: [MacOS, Linux]}}]}}`,
		},
		"risk level twice": {
			reason: "A set has no copies.",
			change: `conditional: {signIn: {rules: [{name: a, when: {riskLevels: [Low, Low]}}]}}`, wantField: "spec.conditional.signIn.rules[0].when.riskLevels[1]", wantMessage: "Duplicate value",
		},
		"empty situation": {
			reason: "It would read like a condition and be none.",
			change: `conditional: {signIn: {rules: [{name: a, when: {}}]}}`, wantField: "spec.conditional.signIn.rules[0].when", wantMessage: "should have at least 1 properties",
		},
		"from everywhere but some zones": {
			reason: "A list of bad places is often shorter.",
			change: `conditional: {signIn: {rules: [{name: a, when: {networkZones: {deny: [Tor]}}}]}}`,
		},
		"zones allowed and denied": {
			reason: "Okta takes one list.",
			change: `conditional: {signIn: {rules: [{name: a, when: {networkZones: {allow: [Office], deny: [Tor]}}}]}}`, wantField: "spec.conditional.signIn.rules[0].when.networkZones", wantMessage: "give exactly one of networkZones.allow and networkZones.deny",
		},
	}
}

func proofTrials() map[string]trial {
	return map[string]trial{
		"proof in full": {
			reason: "Phishing resistance needs WebAuthn among the factors.",
			change: `conditional: {signIn: {rules: [{name: a, with: {factors: [Push, WebAuthn], properties: [PhishingResistant, UserVerification], reauthenticateAfter: 12h}}]}}`,
		},
		"one factor": {reason: "It is enough for some apps.", change: `conditional: {signIn: {rules: [{name: a, with: {factorMode: OneFactor, reauthenticateAfter: 0s}}]}}`},
		"one factor, and properties of the second": {
			reason: "There is no second factor.",
			change: `conditional: {signIn: {rules: [{name: a, with: {factorMode: OneFactor, properties: [DeviceBound]}}]}}`, wantField: "spec.conditional.signIn.rules[0].with", wantMessage: "with.properties constrain the second factor",
		},
		"one factor, and a list of second ones": {
			reason: "There is no second factor.",
			change: `conditional: {signIn: {rules: [{name: a, with: {factorMode: OneFactor, factors: [SMS]}}]}}`, wantField: "spec.conditional.signIn.rules[0].with", wantMessage: "with.factors are second factors",
		},
		"phishing resistant SMS": {
			reason: "Nobody could ever sign in.",
			change: `conditional: {signIn: {rules: [{name: a, with: {factors: [SMS, Push], properties: [PhishingResistant]}}]}}`, wantField: "spec.conditional.signIn.rules[0].with", wantMessage: "none of with.factors is phishing resistant",
		},
		"proof for a year": {
			reason: "Nobody would ever be asked again.",
			change: `conditional: {signIn: {rules: [{name: a, with: {reauthenticateAfter: 8760h}}]}}`, wantField: "spec.conditional.signIn.rules[0].with.reauthenticateAfter", wantMessage: "must be whole minutes from 0s",
		},
	}
}

func deviceTrials() map[string]trial {
	assurance := func(body string) string {
		return `conditional: {signIn: {rules: [{name: a, when: {device: {posture: [Compliant], assurances: [` + body + `]}}}]}}`
	}
	const device = "spec.conditional.signIn.rules[0].when.device"
	return map[string]trial{
		"managed device": {
			reason: "Okta knows by itself whether a device is managed.",
			change: `conditional: {signIn: {rules: [{name: a, when: {device: {posture: [Registered, Managed]}}}]}}`,
		},
		"compliant device": {
			reason: "Each platform says what compliant means, or names what exists.",
			change: assurance(`{platform: MacOS, requirements: {minimumOSVersion: 14.6.1, diskEncryption: Required, screenLock: Biometric, secureHardware: Required}}, {platform: ChromeOS, policyName: Chromebooks}, {platform: Android, requirements: {jailbreak: Forbidden}}`),
		},
		"compliant with nothing": {
			reason: "Compliant means nothing by itself.",
			change: `conditional: {signIn: {rules: [{name: a, when: {device: {posture: [Compliant]}}}]}}`, wantField: device, wantMessage: "device.assurances say what Compliant means",
		},
		"assurances that are not asked for": {
			reason: "They would look as if they were checked.",
			change: `conditional: {signIn: {rules: [{name: a, when: {device: {posture: [Managed], assurances: [{platform: IOS, policyName: x}]}}}]}}`, wantField: device, wantMessage: "device.assurances say what Compliant means",
		},
		"platform twice": {
			reason:    "Okta checks one assurance of a platform.",
			change:    assurance(`{platform: IOS, policyName: one}, {platform: IOS, policyName: two}`),
			wantField: device + ".assurances[1]", wantMessage: "Duplicate value",
		},
		"assurance by name and requirements": {
			reason:    "What exists is never changed.",
			change:    assurance(`{platform: IOS, policyName: x, requirements: {jailbreak: Forbidden}}`),
			wantField: device + ".assurances[0]", wantMessage: "give exactly one of policyName",
		},
		"requirements on ChromeOS": {
			reason:    "Okta does not check these itself.",
			change:    assurance(`{platform: ChromeOS, requirements: {diskEncryption: Required}}`),
			wantField: device + ".assurances[0]", wantMessage: "Okta checks ChromeOS devices by third-party signals only",
		},
		"jailbreak on Windows": {
			reason:    "Okta knows it of phones only.",
			change:    assurance(`{platform: Windows, requirements: {jailbreak: Forbidden}}`),
			wantField: device + ".assurances[0]", wantMessage: "requirements.jailbreak is checked on Android and IOS only",
		},
		"disk encryption on IOS": {
			reason:    "Okta has no such check there.",
			change:    assurance(`{platform: IOS, requirements: {diskEncryption: Required}}`),
			wantField: device + ".assurances[0]", wantMessage: "requirements.diskEncryption and requirements.secureHardware cannot be checked on IOS",
		},
		"version with a name": {
			reason:    "Versions are compared as numbers.",
			change:    assurance(`{platform: MacOS, requirements: {minimumOSVersion: Sonoma}}`),
			wantField: device + ".assurances[0].requirements.minimumOSVersion", wantMessage: "must be one to four numbers with dots between",
		},
	}
}

func agentTrials() map[string]trial {
	return map[string]trial{
		"agents only": {
			reason: "A policy may say nothing about people.",
			change: `conditional: {signIn: null, agents: {tokenLifetime: 15m, dpop: Required, networkZones: {deny: [Tor]}}}`,
		},
		"agents from one zone": {reason: "The cluster has known addresses.", change: `conditional: {agents: {networkZones: {allow: [Cluster]}}}`},
		"agents and nothing": {
			reason: "It would read like a limit and be none.",
			change: `conditional: {agents: {}}`, wantField: "spec.conditional.agents", wantMessage: "should have at least 1 properties",
		},
		"token for four minutes": {
			reason: "Okta's least is five.",
			change: `conditional: {agents: {tokenLifetime: 4m}}`, wantField: "spec.conditional.agents.tokenLifetime", wantMessage: "tokenLifetime must be whole minutes from 5m to 24h",
		},
		"token for two days": {
			reason: "Okta's most is one.",
			change: `conditional: {agents: {tokenLifetime: 48h}}`, wantField: "spec.conditional.agents.tokenLifetime", wantMessage: "tokenLifetime must be whole minutes from 5m to 24h",
		},
		"token for minutes and seconds": {
			reason: "Okta counts in minutes.",
			change: `conditional: {agents: {tokenLifetime: 5m30s}}`, wantField: "spec.conditional.agents.tokenLifetime", wantMessage: "tokenLifetime must be whole minutes from 5m to 24h",
		},
		"agents' zones allowed and denied": {
			reason: "Okta takes one list.",
			change: `conditional: {agents: {networkZones: {allow: [Cluster], deny: [Tor]}}}`, wantField: "spec.conditional.agents.networkZones", wantMessage: "give exactly one of networkZones.allow and networkZones.deny",
		},
	}
}

func ceilingTrials() map[string]trial {
	return map[string]trial{
		"ceiling in full": {
			reason: "Every limit can be given together.", spec: ceiling,
			change: `ceiling: {permissions: [interact_with_chatbot, "chat:*"], deliveries: [PrivateKeyJWT, AccessToken], maxTokenLifetime: 1h, maxKeyAge: 2160h, owners: Required, expiry: Optional, apps: [{label: Chatbot}], members: ["*@team.example.com", ada@example.com]}`,
		},
		"ceiling's app by id": {reason: "A label need not be unique.", spec: ceiling, change: `ceiling: {apps: [{id: 0oa1b2c3d4}]}`},
		"ceiling of nothing": {
			reason: "It would look as if it protected something.", spec: ceiling,
			change: `ceiling: {deliveries: null}`, wantField: "spec.ceiling", wantMessage: "a ceiling must limit something",
		},
		"ceiling over nobody": {
			reason: "All namespaces are meant only when that is said: {}.", spec: ceiling,
			change: `ceiling: {namespaceSelector: null}`, wantField: "spec.ceiling.namespaceSelector", wantMessage: "Required value",
		},
		"star in the middle of a login": {
			reason: "Who is meant would be hard to see.", spec: ceiling,
			change: `ceiling: {members: ["ada@*.example.com"]}`, wantField: "spec.ceiling.members[0]", wantMessage: "must be a login, or one * followed by the end of logins",
		},
		"star in the middle": {
			reason: "What it allows would be hard to see.", spec: ceiling,
			change: `ceiling: {permissions: ["chat:*:read"]}`, wantField: "spec.ceiling.permissions[0]", wantMessage: "beginning of names followed by one *",
		},
		"star alone": {
			reason: "No limit is said by leaving it out.", spec: ceiling,
			change: `ceiling: {permissions: ["*"]}`, wantField: "spec.ceiling.permissions[0]", wantMessage: "to allow all, remove permissions",
		},
		"ceiling that allows to look at Okta itself": {
			reason: "It says whose roles may give what the configuration allows.", spec: ceiling,
			change: `ceiling: {permissions: ["okta.users.read", "chat:*"]}`,
		},
		"ceiling that allows Okta itself": {
			reason: "What it allows must be seen, now and with what Okta adds.", spec: ceiling,
			change: `ceiling: {permissions: ["okta.users.*"]}`, wantField: "spec.ceiling.permissions[0]", wantMessage: "no ceiling allows them",
		},
		"delivery twice": {
			reason: "A set has no copies.", spec: ceiling,
			change: `ceiling: {deliveries: [ClientSecret, ClientSecret]}`, wantField: "spec.ceiling.deliveries[1]", wantMessage: "Duplicate value",
		},
		"ceiling below Okta's least": {
			reason: "No key could have a token.", spec: ceiling,
			change: `ceiling: {maxTokenLifetime: 1m}`, wantField: "spec.ceiling.maxTokenLifetime", wantMessage: "maxTokenLifetime must be whole minutes from 5m to 24h",
		},
		"keys for minutes": {
			reason: "Keys are rotated once an hour at most.", spec: ceiling,
			change: `ceiling: {maxKeyAge: 30m}`, wantField: "spec.ceiling.maxKeyAge", wantMessage: "maxKeyAge must be from 1h to 8784h",
		},
		"ceiling's app by label and id": {
			reason: "They could point at two apps.", spec: ceiling,
			change: `ceiling: {apps: [{label: Chatbot, id: 0oa1}]}`, wantField: "spec.ceiling.apps[0]", wantMessage: "exactly one of the fields in [label id] must be set",
		},
	}
}

func quarantineTrials() map[string]trial {
	return map[string]trial{
		"quarantine by selector": {
			reason: "Whole namespaces, roles and labels can be cut off.", spec: selecting,
			change: `quarantine: {targets: {selector: {roles: [{namespace: a, name: chatbot}], labelSelector: {matchLabels: {app: x}}}}}`,
		},
		"more targets": {
			reason: "An incident grows.", spec: quarantine, transition: true,
			change: `quarantine: {targets: {keys: [{namespace: a, name: chatbot}, {namespace: b, name: chatbot}]}}`,
		},
		"keys and selector": {
			reason: "It would be unclear what counts.", spec: selecting,
			change: `quarantine: {targets: {keys: [{namespace: a, name: b}]}}`, wantField: "spec.quarantine.targets", wantMessage: "give exactly one of targets.keys and targets.selector",
		},
		"no targets": {
			reason: "Nobody would be cut off, and everybody would think so.", spec: quarantine,
			change: `quarantine: {targets: {keys: null}}`, wantField: "spec.quarantine.targets", wantMessage: "give exactly one of targets.keys and targets.selector",
		},
		"target twice": {
			reason: "One of the two is most likely a typing error.", spec: quarantine,
			change: `quarantine: {targets: {keys: [{namespace: a, name: b}, {namespace: a, name: b}]}}`, wantField: "spec.quarantine.targets.keys[1]", wantMessage: "Duplicate value",
		},
		"selector of nothing": {
			reason: "It would cut off every key there is.", spec: selecting,
			change: `quarantine: {targets: {selector: {namespaces: null}}}`, wantField: "spec.quarantine.targets.selector", wantMessage: "a selector must select by something",
		},
		"selector without a bound": {
			reason: "A typing error must not cut off the whole cluster.", spec: selecting,
			change: `quarantine: {targets: {selector: {maxTargets: null}}}`, wantField: "spec.quarantine.targets.selector.maxTargets", wantMessage: "Required value",
		},
		"no reason": {
			reason: "The owners of the keys must know why.", spec: quarantine,
			change: `quarantine: {reason: null}`, wantField: "spec.quarantine.reason", wantMessage: "Required value",
		},
	}
}
