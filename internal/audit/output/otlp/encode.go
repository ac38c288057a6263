package otlp

import (
	"strings"
	"unicode/utf8"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

// The attributes of a record. log.record.uid is OpenTelemetry's: records that have the same
// are duplicates and may be removed.
const (
	attributeID    = "log.record.uid"
	attributeType  = "event.name"
	attributeAgent = "agentidentity.agent"
)

// encoder makes requests of records.
//
// A body is the JSON as a string, not a map. What Okta has said is evidence and stays as it
// is, byte for byte: a map loses the order of keys, keys that come twice, and numbers over
// 2^53. It is also not parsed on the way, which is most of the throughput, and receivers
// that want a map make one (ParseJSON of the collector's transform processor).
type encoder struct {
	now      clock.PassiveClock
	resource *resource.Resource
	scope    *common.InstrumentationScope
}

func newEncoder(from Resource, now clock.PassiveClock) encoder {
	e := encoder{
		now:      now,
		resource: &resource.Resource{Attributes: []*common.KeyValue{attribute("service.name", "agent-identity-operator")}},
		scope:    &common.InstrumentationScope{Name: "agentidentity.dev/audit", Version: valid(from.Version)},
	}
	for _, a := range [][2]string{
		{"service.version", from.Version},
		{"agentidentity.cluster", from.Cluster},
		{"okta.org", from.Org},
	} {
		if a[1] != "" {
			e.resource.Attributes = append(e.resource.Attributes, attribute(a[0], a[1]))
		}
	}
	return e
}

// request is one request of all these records, in their order.
func (e encoder) request(records []output.Record) *collector.ExportLogsServiceRequest {
	observed := uint64(max(e.now.Now().UnixNano(), 0))
	converted := make([]*logs.LogRecord, len(records))
	for i := range records {
		converted[i] = convert(&records[i], observed)
	}
	return &collector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource:  e.resource,
		ScopeLogs: []*logs.ScopeLogs{{Scope: e.scope, LogRecords: converted}},
	}}}
}

func convert(r *output.Record, observed uint64) *logs.LogRecord {
	converted := &logs.LogRecord{
		TimeUnixNano:         uint64(max(r.Time.UnixNano(), 0)),
		ObservedTimeUnixNano: observed,
		SeverityNumber:       severity(r.Severity),
		SeverityText:         valid(r.Severity),
		Body:                 body(r.Body),
		EventName:            valid(r.Type),
		// The type stands here too: few receivers show the field, which is newer.
		Attributes: append(make([]*common.KeyValue, 0, 3), attribute(attributeID, r.ID), attribute(attributeType, r.Type)),
	}
	if r.Agent != "" {
		converted.Attributes = append(converted.Attributes, attribute(attributeAgent, r.Agent))
	}
	return converted
}

// body is text. What is no UTF-8 is bytes: one such string makes the whole request
// unreadable, and to mend it would be to change it.
func body(raw []byte) *common.AnyValue {
	if utf8.Valid(raw) {
		return text(string(raw))
	}
	return &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: raw}}
}

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: text(valid(value))}
}

func text(value string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}
}

// valid is value where it is UTF-8.
func valid(value string) string { return strings.ToValidUTF8(value, "\uFFFD") }

// severity maps Okta's.
func severity(said string) logs.SeverityNumber {
	switch said {
	case "DEBUG":
		return logs.SeverityNumber_SEVERITY_NUMBER_DEBUG
	case "INFO":
		return logs.SeverityNumber_SEVERITY_NUMBER_INFO
	case "WARN":
		return logs.SeverityNumber_SEVERITY_NUMBER_WARN
	case "ERROR":
		return logs.SeverityNumber_SEVERITY_NUMBER_ERROR
	}
	return logs.SeverityNumber_SEVERITY_NUMBER_UNSPECIFIED
}

// sizeOf is at least what r takes in a request: twice its type, and less than 256 bytes of
// keys, lengths and numbers. What is no UTF-8 grows threefold at most.
func sizeOf(r *output.Record) int {
	return len(r.Body) + 3*(len(r.ID)+2*len(r.Type)+len(r.Severity)+len(r.Agent)) + 256
}
