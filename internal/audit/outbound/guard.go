package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

const (
	dialTimeout = 10 * time.Second
	keepAlive   = 30 * time.Second
)

// Guard says which networks events may be sent to. The zero Guard refuses the operator's
// own machine, link-local addresses, the clouds' metadata services and what is no host,
// in all the forms in which IPv6 can write them, and nothing else.
type Guard struct {
	// Allowed networks are dialled whatever else is said of them. An address that stands
	// for one of IPv4 behind a gateway (NAT64, 6to4, Teredo) is allowed as itself only.
	Allowed []netip.Prefix
	// Denied networks are refused too, such as those of the cluster's services.
	Denied []netip.Prefix

	// resolver is the system's, but in tests of names that change their mind.
	resolver *net.Resolver
}

// DialContext dials addr over TCP, if it may be. A name is resolved first, and each of its
// addresses is judged when it is dialled: a name that leads elsewhere the next time it is
// looked up gains nothing. A refusal is an *output.Error of Kind Forbidden, wrapped in a
// *net.OpError where the address was judged.
func (g Guard) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		// A path to a socket is no receiver of anybody's, and nothing here speaks UDP.
		return nil, &output.Error{Kind: output.Forbidden, Message: "events are sent over TCP only"}
	}
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive, Control: g.control, Resolver: g.resolver}
	return dialer.DialContext(ctx, network, addr)
}

// control is called with the address that is about to be dialled, after resolution.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		// No address at all means this machine.
		return forbidden("which is no address", address)
	}
	return g.check(to.Addr())
}

// check is the order in which an address is judged.
func (g Guard) check(addr netip.Addr) error {
	// A zone names an interface; no prefix holds an address that has one.
	addr = addr.WithZone("").Unmap()
	if _, allowed := contains(g.Allowed, addr); allowed {
		return nil
	}
	for _, to := range append([]netip.Addr{addr}, embedded(addr)...) {
		if prefix, denied := contains(g.Denied, to); denied {
			return forbidden(fmt.Sprintf("which is in the network %s that the operator's configuration denies", prefix), addr.String())
		}
		for _, network := range reserved() {
			if network.prefix.Contains(to) {
				return forbidden(fmt.Sprintf("which is in the network %s (%s)", network.prefix, network.name), addr.String())
			}
		}
	}
	return nil
}

// forbidden keeps the address itself out of the message: a name may have many, and who
// writes an endpoint need not learn them.
func forbidden(which, address string) error {
	return &output.Error{
		Kind: output.Forbidden,
		Message: "the endpoint leads to an address " + which + ", where the operator sends nothing: " +
			"name a receiver elsewhere, or have the operator's configuration allow the network",
		Err: fmt.Errorf("dialling %s", address),
	}
}
