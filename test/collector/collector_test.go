package collector

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/receiver"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestDelivered holds that a collector has each event once, in order, and as it was, when it
// is told to have been delivered.
func TestDelivered(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			out := c.open(protocol)
			batch := records(5000, 1500)
			var want []event
			for part := range slices.Chunk(batch, 500) {
				if err := deliver(out, part); err != nil {
					t.Fatal(err)
				}
				for _, r := range part {
					want = append(want, sentBy(r))
				}
				if got := c.written(); got != len(want) {
					t.Fatalf("%d events are there when %d were acknowledged", got, len(want))
				}
			}
			if diff := cmp.Diff(want, c.events()); diff != "" {
				t.Errorf("events (-sent +there):\n%s", diff)
			}
		})
	}
}

// TestLargeBatch holds that a batch that is more than a collector takes at once, 4 MiB over
// gRPC, goes in as many requests as it needs.
func TestLargeBatch(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			batch := records(300, 20_000)
			if err := deliver(c.open(protocol), batch); err != nil {
				t.Fatal(err)
			}
			c.mustHave(batch, counted(batch, 1))
		})
	}
}

// TestRefused holds that a collector that does not take the operator's word, or is none
// there, costs no event: nothing counts as delivered or as rejected.
func TestRefused(t *testing.T) {
	c := newCollector(t)
	batch := records(10, 100)
	type change = func(*v1alpha1.OTLPOutput, *receiver.Material)
	for name, test := range map[string]struct {
		protocol v1alpha1.OTLPProtocol
		change   change
	}{
		"HTTP, no token":    {v1alpha1.OTLPProtocolHTTP, func(o *v1alpha1.OTLPOutput, _ *receiver.Material) { o.Headers = nil }},
		"gRPC, no token":    {v1alpha1.OTLPProtocolGRPC, func(o *v1alpha1.OTLPOutput, _ *receiver.Material) { o.Headers = nil }},
		"HTTP, wrong token": {v1alpha1.OTLPProtocolHTTP, wrongToken},
		"gRPC, wrong token": {v1alpha1.OTLPProtocolGRPC, wrongToken},
		"HTTP, path":        {v1alpha1.OTLPProtocolHTTP, func(o *v1alpha1.OTLPOutput, _ *receiver.Material) { o.Endpoint += "/elsewhere" }},
		"HTTP, whole path":  {v1alpha1.OTLPProtocolHTTP, func(o *v1alpha1.OTLPOutput, _ *receiver.Material) { o.Endpoint += "/v1/logs" }},
		"HTTP at the port for gRPC": {v1alpha1.OTLPProtocolHTTP, func(o *v1alpha1.OTLPOutput, _ *receiver.Material) {
			o.Endpoint = c.endpoint(v1alpha1.OTLPProtocolGRPC)
		}},
		"gRPC at the port for HTTP": {v1alpha1.OTLPProtocolGRPC, func(o *v1alpha1.OTLPOutput, _ *receiver.Material) {
			o.Endpoint = c.endpoint(v1alpha1.OTLPProtocolHTTP)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := deliver(c.open(test.protocol, test.change), batch)
			mustBe(t, err, output.Refused)
			t.Log(err)
		})
	}
	if got := c.written(); got != 0 {
		t.Errorf("%d events are there", got)
	}
}

func wrongToken(_ *v1alpha1.OTLPOutput, m *receiver.Material) {
	for ref := range m.Values {
		m.Values[ref] = identity.NewSecret([]byte("Bearer wrong-" + token))
	}
}

// TestTooLarge holds that a collector's limit on requests is told as a fault of the batch, so
// that the operator sends less of it.
func TestTooLarge(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			c := newCollector(t, "http: {", "http: {max_request_body_size: 1000000, ", "grpc: {", "grpc: {max_recv_msg_size_mib: 1, ")
			out := c.open(protocol)
			batch := records(100, 20_000)
			err := deliver(out, batch)
			mustBe(t, err, output.Rejected)
			t.Log(err)
			for part := range slices.Chunk(batch, 25) {
				if err := deliver(out, part); err != nil {
					t.Fatal(err)
				}
			}
			c.mustHave(batch, counted(batch, 1))
		})
	}
}

// TestOutOfMemory holds that a collector that has no room says so in a way that makes the
// operator wait, and not give up events.
func TestOutOfMemory(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			c := newCollector(t, "{check_interval: 1s, limit_mib: 4096}", "{check_interval: 1ms, limit_mib: 1}")
			out := c.open(protocol)
			batch := records(1, 100)
			taken, err := 0, error(nil)
			// It looks at its memory for the first time soon after it has started.
			for stop := time.Now().Add(patience); err == nil && time.Now().Before(stop); taken++ {
				err = deliver(out, batch)
			}
			mustBe(t, err, output.Unreachable, output.Busy)
			t.Log(err)
			if got := c.written(); got != taken-1 {
				t.Errorf("%d events are there when %d were acknowledged", got, taken-1)
			}
		})
	}
}

// counted is how often each event of the batch is to be there.
func counted(batch []output.Record, times int) map[string]int {
	all := map[string]int{}
	for _, r := range batch {
		all[r.ID] = times
	}
	return all
}
