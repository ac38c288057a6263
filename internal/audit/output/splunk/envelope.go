package splunk

import (
	"encoding/json"
	"strconv"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

const (
	source = "agent-identity-operator"
	// sourceType is Splunk's own for JSON objects, which every Splunk has.
	sourceType = "_json"
	// room is what the parts of an envelope take that differ by event: time and fields.
	room = 600
)

// envelope is what stands around an event and is the same for all.
type envelope struct{ middle []byte }

func newEnvelope(index string) envelope {
	middle := []byte(`"source":"` + source + `","sourcetype":"` + sourceType + `",`)
	if index != "" {
		middle = append(middle, `"index":`...)
		middle = append(appendText(middle, index), ',')
	}
	return envelope{middle: middle}
}

// size is a bound of what an event takes besides its body.
func (e envelope) size() int { return len(e.middle) + room }

// append writes one event object.
func (e envelope) append(to []byte, record output.Record) []byte {
	to = append(to, '{')
	if millis := record.Time.UnixMilli(); millis > 0 {
		// Never in scientific notation: Splunk takes it for a bad field.
		to = append(to, `"time":`...)
		to = strconv.AppendInt(to, millis/1000, 10)
		to = append(to, '.')
		rest := millis % 1000
		to = append(to, byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10), ',')
	}
	to = append(to, e.middle...)
	to = append(to, `"fields":{"event_id":`...)
	to = appendText(to, record.ID)
	for _, field := range [...]struct{ name, value string }{
		{"event_type", record.Type}, {"severity", record.Severity}, {"agent", record.Agent},
	} {
		// An empty field is an error to some versions.
		if field.value != "" {
			to = append(to, `,"`+field.name+`":`...)
			to = appendText(to, field.value)
		}
	}
	to = append(to, `},"event":`...)
	to = append(to, record.Body...)
	return append(to, '}')
}

// appendText writes a string as JSON.
func appendText(to []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		return append(to, `""`...) // no string is unfit for JSON
	}
	return append(to, quoted...)
}
