package cel

import "maps"

// The bases of the outputs that are not in sinkTable's base.
const (
	httpSink = `output: {type: HTTP, http: {endpoint: "https://audit.example.com/okta"}}`
	hecSink  = `output: {type: SplunkHEC, splunkHEC: {endpoint: "https://splunk.example.com:8088", token: {name: splunk, key: token}}}`
	kafka    = `output: {type: Kafka, kafka: {brokers: ["kafka-0.example.com:9093"], topic: okta-audit}}`
)

func sinkTable() table {
	t := table{kind: "AuditSink", base: `output: {type: OTLP, otlp: {endpoint: "https://otel.example.com:4318"}}`, trials: eventTrials()}
	for _, more := range []map[string]trial{outputTrials(), endpointTrials(), detectionTrials()} {
		maps.Copy(t.trials, more)
	}
	return t
}

func eventTrials() map[string]trial {
	return map[string]trial{
		"smallest": {reason: "A receiver is enough: all events from now on."},
		"some events": {
			reason: "Categories and a filter narrow what is sent.",
			change: `{events: {categories: [Token, Client], filter: 'event.outcome.result != "SUCCESS"'}, since: "2026-01-01T00:00:00Z", format: OCSF}`,
		},
		"category twice": {
			reason: "A set has no copies.",
			change: `events: {categories: [Token, Token]}`, wantField: "spec.events.categories[1]", wantMessage: "Duplicate value",
		},
		"since no time": {
			reason: "A date alone leaves the hour open.",
			change: `since: "2026-01-01"`, wantField: "spec.since", wantMessage: "must be of type date-time", besides: "should match",
		},
		"since with a small z": {
			reason: "RFC 3339 and the API server allow it, Go cannot read it: the operator's watch would end.",
			change: `since: "2026-01-01t00:00:00z"`, wantField: "spec.since", wantMessage: "should match",
		},
		"since at an impossible offset": {
			reason: "As with the small z.",
			change: `since: "2026-01-01T00:00:00+99:99"`, wantField: "spec.since", wantMessage: "should match",
		},
		"since at an offset": {reason: "Whoever writes it may live anywhere.", change: `since: "2026-01-01T00:00:00.5+05:30"`},
		"since changed": {
			reason: "What was sent cannot be unsent.", transition: true, spec: httpSink + "\n" + `since: "2026-01-01T00:00:00Z"`,
			change: `since: "2026-02-01T00:00:00Z"`, wantField: "spec", wantMessage: "spec.since cannot be changed",
		},
		"since added": {
			reason: "What was sent cannot be unsent.", transition: true,
			change: `since: "2026-02-01T00:00:00Z"`, wantField: "spec", wantMessage: "spec.since cannot be changed",
		},
		"since stays": {
			reason: "Everything else may change.", transition: true, spec: httpSink + "\n" + `since: "2026-01-01T00:00:00Z"`,
			change: `format: OCSF`,
		},
	}
}

func outputTrials() map[string]trial {
	return map[string]trial{
		"OTLP in full": {
			reason: "Headers authenticate, their values are in Secrets.",
			change: `output: {otlp: {protocol: GRPC, headers: [{name: authorization, value: {name: otel, key: header}}]}, tls: {ca: {kind: ConfigMap, name: trust}, clientCertificate: {name: client}}}`,
		},
		"authorities in a Secret": {reason: "Some teams keep them there.", change: `output: {tls: {ca: {kind: Secret, name: trust, key: bundle.pem}}}`},
		"HTTP in full": {
			reason: "Requests are signed and bounded.", spec: httpSink,
			change: `output: {http: {headers: [{name: x-api-key, value: {name: hook, key: key}}], signingKey: {name: hook, key: hmac}, maxEvents: 1000}}`,
		},
		"Splunk in full": {
			reason: "The indexer acknowledges.", spec: hecSink,
			change: `output: {splunkHEC: {index: okta, acknowledgement: Required}}`,
		},
		"Kafka in full": {
			reason: "SASL over TLS, several brokers, one of them by address.", spec: kafka,
			change: `output: {kafka: {brokers: ["kafka-0.example.com:9093", "[2001:db8::1]:9093"], sasl: {mechanism: SCRAMSHA512, username: {name: k, key: u}, password: {name: k, key: p}}}}`,
		},
		"OTLP without its member": {
			reason: "There is no receiver.",
			change: `output: {otlp: null}`, wantField: "spec.output", wantMessage: "output.otlp is required when output.type is OTLP",
		},
		"HTTP without its member": {
			reason: "There is no receiver.", spec: httpSink,
			change: `output: {http: null}`, wantField: "spec.output", wantMessage: "output.http is required when output.type is HTTP",
		},
		"Splunk without its member": {
			reason: "There is no receiver.", spec: hecSink,
			change: `output: {splunkHEC: null}`, wantField: "spec.output", wantMessage: "output.splunkHEC is required when output.type is SplunkHEC",
		},
		"Kafka without its member": {
			reason: "There is no receiver.", spec: kafka,
			change: `output: {kafka: null}`, wantField: "spec.output", wantMessage: "output.kafka is required when output.type is Kafka",
		},
		"two receivers": {
			reason: "A sink has one cursor: make two sinks.",
			change: `output: {http: {endpoint: "https://audit.example.com"}}`, wantField: "spec.output", wantMessage: "output.http is required when output.type is HTTP, and forbidden otherwise",
		},
		"Kafka broker with a scheme": {
			reason: "Kafka has none.", spec: kafka,
			change: `output: {kafka: {brokers: ["https://kafka:9093"]}}`, wantField: "spec.output.kafka.brokers[0]", wantMessage: "a broker is host:port, without a scheme",
		},
		"OTLP header in capitals": {
			reason: "HTTP/2 knows small letters only.",
			change: `output: {otlp: {headers: [{name: Authorization, value: {name: a, key: b}}]}}`, wantField: "spec.output.otlp.headers[0].name", wantMessage: "in small letters, digits and hyphens",
		},
		"OTLP header of ours": {
			reason: "Requests would be cut wrongly.",
			change: `output: {otlp: {headers: [{name: content-length, value: {name: a, key: b}}]}}`, wantField: "spec.output.otlp.headers[0].name", wantMessage: "this header is set by the operator itself",
		},
		"OTLP header twice": {
			reason: "Which one counts is not defined.",
			change: `output: {otlp: {headers: [{name: a, value: {name: a, key: b}}, {name: a, value: {name: a, key: c}}]}}`, wantField: "spec.output.otlp.headers[1]", wantMessage: "Duplicate value",
		},
		"HTTP header in capitals": {
			reason: "HTTP/2 knows small letters only.", spec: httpSink,
			change: `output: {http: {headers: [{name: X-Api-Key, value: {name: a, key: b}}]}}`, wantField: "spec.output.http.headers[0].name", wantMessage: "in small letters, digits and hyphens",
		},
		"HTTP header of ours": {
			reason: "The receiver would be another one.", spec: httpSink,
			change: `output: {http: {headers: [{name: host, value: {name: a, key: b}}]}}`, wantField: "spec.output.http.headers[0].name", wantMessage: "this header is set by the operator itself",
		},
	}
}

func endpointTrials() map[string]trial {
	return map[string]trial{
		"OTLP in clear": {
			reason: "Audit events name people.",
			change: `output: {otlp: {endpoint: "http://otel.example.com:4318"}}`, wantField: "spec.output.otlp.endpoint", wantMessage: "endpoint must be an https URL with a host",
		},
		"OTLP without a scheme": {
			reason: "Some clients would then send in clear.",
			change: `output: {otlp: {endpoint: "otel.example.com:4317"}}`, wantField: "spec.output.otlp.endpoint", wantMessage: "endpoint must be an https URL with a host",
		},
		"OTLP with a password": {
			reason: "Specs can be read by many.",
			change: `output: {otlp: {endpoint: "https://me:secret@otel.example.com"}}`, wantField: "spec.output.otlp.endpoint", wantMessage: "put credentials into a Secret and reference it",
		},
		"HTTP without a host": {
			reason: "There is nobody to send to.", spec: httpSink,
			change: `output: {http: {endpoint: "https:///okta"}}`, wantField: "spec.output.http.endpoint", wantMessage: "endpoint must be an https URL with a host",
		},
		"HTTP with a key in the query": {
			reason: "Specs can be read by many.", spec: httpSink,
			change: `output: {http: {endpoint: "https://hook.example.com/?key=abc"}}`, wantField: "spec.output.http.endpoint", wantMessage: "put credentials into a Secret and reference it",
		},
		"Splunk in clear": {
			reason: "The token would be read on the way.", spec: hecSink,
			change: `output: {splunkHEC: {endpoint: "http://splunk:8088"}}`, wantField: "spec.output.splunkHEC.endpoint", wantMessage: "endpoint must be an https URL with a host",
		},
		"Splunk with a token in the query": {
			reason: "Specs can be read by many.", spec: hecSink,
			change: `output: {splunkHEC: {endpoint: "https://splunk:8088/?token=abc"}}`, wantField: "spec.output.splunkHEC.endpoint", wantMessage: "put credentials into a Secret and reference it",
		},
	}
}

func detectionTrials() map[string]trial {
	return map[string]trial{
		"detections": {
			reason: "Built in or your own, told, tried out or acted on.",
			change: `
detections:
- {name: ghost, rule: GhostUse, response: Suspend, maxActionsPerHour: 3, mode: Act}
- {name: blinded, rule: AuditBlinded}
- {name: many-refusals, expression: 'event.outcome.result == "FAILURE"', threshold: {count: 20, within: 5m}, response: Rotate, maxActionsPerHour: 1}
`,
		},
		"detection twice": {
			reason: "Its findings could not be told apart.",
			change: `detections: [{name: a, rule: GhostUse}, {name: a, rule: SecretRead}]`, wantField: "spec.detections[1]", wantMessage: "Duplicate value",
		},
		"rule and expression": {
			reason: "It would be unclear what counts.",
			change: `detections: [{name: a, rule: GhostUse, expression: "true"}]`, wantField: "spec.detections[0]", wantMessage: "give exactly one of rule (built in) and expression",
		},
		"neither rule nor expression": {
			reason: "Nothing would ever be found.",
			change: `detections: [{name: a}]`, wantField: "spec.detections[0]", wantMessage: "give exactly one of rule (built in) and expression",
		},
		"suspend without a cap": {
			reason: "A bad rule must not stop every agent.",
			change: `detections: [{name: a, rule: GhostUse, response: Suspend}]`, wantField: "spec.detections[0]", wantMessage: "maxActionsPerHour is required when response is Rotate or Suspend",
		},
		"notify that acts": {
			reason: "There is nothing to act.",
			change: `detections: [{name: a, rule: GhostUse, mode: Act}]`, wantField: "spec.detections[0]", wantMessage: "with response Notify remove maxActionsPerHour and mode",
		},
		"suspend whom": {
			reason: "The rule is about the org, not about an agent.",
			change: `detections: [{name: a, rule: AuditBlinded, response: Suspend, maxActionsPerHour: 1}]`, wantField: "spec.detections[0]", wantMessage: "what this rule sees proves nobody to hold the agent's credential, or names no single agent: its only response is Notify",
		},
		"suspend for what anybody can cause": {
			reason: "A refusal proves no credential.",
			change: `detections: [{name: a, rule: ScopeProbing, response: Suspend, maxActionsPerHour: 1}]`, wantField: "spec.detections[0]", wantMessage: "its only response is Notify",
		},
		"threshold in no time": {
			reason: "It would never be reached.",
			change: `detections: [{name: a, rule: ScopeProbing, threshold: {count: 3, within: 0s}}]`, wantField: "spec.detections[0].threshold.within", wantMessage: "threshold.within must be from 1s to 24h",
		},
	}
}
