package cel

func roleTable() table {
	return table{kind: "AIAgentRole", base: `
permissions: [{name: interact_with_chatbot, description: Talk to the chatbot}]
`, trials: map[string]trial{
		"names for people": {reason: "Okta's console shows them.", change: `{displayName: Chatbot users, description: May talk to the chatbot}`},
		"smallest":         {reason: "A role is its permissions; nothing else is needed."},
		"permission names of many shapes": {
			reason: "Scopes of other systems keep their names.",
			change: `permissions: [{name: "agents:openid"}, {name: urn/x.y-z}, {name: okta_reader}]`,
		},
		"permission with a blank": {
			reason: "A scope ends at a blank (RFC 6749), so it cannot have one.",
			change: `permissions: [{name: chat bot}]`, wantField: "spec.permissions[0].name", wantMessage: "use letters, digits",
		},
		"permission reserved by OpenID Connect": {
			reason: "Okta gives these scopes a meaning of its own.",
			change: `permissions: [{name: openid}]`, wantField: "spec.permissions[0].name", wantMessage: "is reserved by OpenID Connect; choose another",
		},
		"permission of Okta itself": {
			reason: "An agent must not become an administrator of the org.",
			change: `permissions: [{name: ok}, {name: okta.users.manage}]`, wantField: "spec.permissions[1].name", wantMessage: "administer the Okta org itself and are refused",
		},
		"permission to look at Okta itself": {
			reason: "Whether it may be given the operator's configuration says, which admission does not know.",
			change: `permissions: [{name: okta.users.read}, {name: okta.apps.read}]`,
		},
		"permission to look at those who administer Okta": {
			reason: "It shows whom to attack.",
			change: `permissions: [{name: okta.iam.read}]`, wantField: "spec.permissions[0].name", wantMessage: "by which nobody can gain more",
		},
		"permission twice": {
			reason: "The second description would fight with the first.",
			change: `permissions: [{name: chat, description: a}, {name: chat, description: b}]`, wantField: "spec.permissions[1]", wantMessage: "Duplicate value",
		},
		"shared with selected namespaces": {
			reason: "Selected comes with a selector.",
			change: `shareWith: {from: Selected, namespaceSelector: {matchLabels: {team: a}}}`,
		},
		"shared with all namespaces": {reason: "All needs none.", change: `shareWith: {from: All}`},
		"selected without a selector": {
			reason: "It would be unclear who is meant.",
			change: `shareWith: {from: Selected}`, wantField: "spec.shareWith", wantMessage: "namespaceSelector is required when from is Selected, and forbidden otherwise",
		},
		"selector that is not used": {
			reason: "It would look as if it limited something.",
			change: `shareWith: {from: All, namespaceSelector: {matchLabels: {team: a}}}`, wantField: "spec.shareWith", wantMessage: "namespaceSelector is required when from is Selected, and forbidden otherwise",
		},
		"selector that selects all": {
			reason: "An empty selector is All in disguise.",
			change: `shareWith: {from: Selected, namespaceSelector: {}}`, wantField: "spec.shareWith", wantMessage: "an empty namespaceSelector would select all namespaces",
		},
		"members": {reason: "The people who hold the role.", change: `members: {users: [ada@example.com, bob@example.com]}`},
		"member twice": {
			reason: "Whoever takes one of them out would wonder.",
			change: `members: {users: [ada@example.com, ada@example.com]}`, wantField: "spec.members.users[1]", wantMessage: "Duplicate value",
		},
		"members without anybody": {
			reason: "An empty list reads like a mistake; a role without the field leaves its group to people.",
			change: `members: {users: []}`, wantField: "spec.members.users", wantMessage: "should have at least 1 items",
		},
		"mfa": {reason: "What the members must have.", change: `{members: {users: [ada@example.com]}, mfa: {factors: [Push, SMS], enroll: Start}}`},
		"mfa with numbers": {
			reason: "The numbers stand in a Secret, never here.",
			change: `{members: {users: [ada@example.com]}, mfa: {factors: [SMS], phoneNumbersSecretRef: {name: phones}}}`,
		},
		"numbers for nothing": {
			reason: "Who gives numbers wants text messages.", change: `{members: {users: [ada@example.com]}, mfa: {factors: [Push], phoneNumbersSecretRef: {name: phones}}}`,
			wantField: "spec.mfa", wantMessage: "phoneNumbersSecretRef is about text messages",
		},
		"mfa of nobody": {
			reason: "Whose factors they are would be unclear.",
			change: `mfa: {factors: [Push]}`, wantField: "spec", wantMessage: "mfa is about the people whom members names",
		},
		"factor twice": {
			reason: "Whoever takes one of them out would wonder.",
			change: `{members: {users: [ada@example.com]}, mfa: {factors: [Push, Push]}}`, wantField: "spec.mfa.factors[1]", wantMessage: "Duplicate value",
		},
	}}
}
