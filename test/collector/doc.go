// Package collector holds the output for OpenTelemetry to a real collector: a process of its
// own, built by `hack/tool otel-collector` from the published modules, to which events go
// over both protocols as an AuditSink describes it. It refuses to know where events come
// from.
package collector
