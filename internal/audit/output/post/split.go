package post

import "github.com/agentidentity/agent-identity-operator/internal/audit/output"

// Split cuts a batch into parts of at most so many events and bytes, where each event takes
// the bytes of its body and some more. An event that is too large on its own is sent so:
// it is for the receiver to say. The same batch is cut the same way each time.
func Split(batch []output.Record, events, bytes, more int) [][]output.Record {
	var parts [][]output.Record
	from, size := 0, 0
	for i, record := range batch {
		needs := len(record.Body) + more
		if i > from && (i-from == events || size+needs > bytes) {
			parts = append(parts, batch[from:i])
			from, size = i, 0
		}
		size += needs
	}
	if from < len(batch) {
		parts = append(parts, batch[from:])
	}
	return parts
}
