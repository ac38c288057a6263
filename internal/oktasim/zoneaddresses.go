package oktasim

import (
	"net/netip"
	"strings"
)

// normalAddress checks an address of a zone. A range of one address is written as a
// range, as recorded.
func normalAddress(kind, value string) (string, bool) {
	switch kind {
	case "CIDR":
		_, err := netip.ParsePrefix(value)
		return value, err == nil
	case "RANGE":
		from, to, ok := addressRange(value)
		return from.String() + "-" + to.String(), ok
	}
	return "", false
}

func addressRange(value string) (from, to netip.Addr, ok bool) {
	first, last, isRange := strings.Cut(value, "-")
	if !isRange {
		last = first
	}
	from, err := netip.ParseAddr(strings.TrimSpace(first))
	if err != nil {
		return from, to, false
	}
	to, err = netip.ParseAddr(strings.TrimSpace(last))
	return from, to, err == nil && from.BitLen() == to.BitLen() && !to.Less(from)
}

// holds tells whether an address is one of the zone's gateways. Proxies only forward.
// A zone that is INACTIVE holds nothing.
func (z *zone) holds(ip netip.Addr) bool {
	all, _ := z.doc["gateways"].([]any)
	for _, each := range all {
		address := document(each.(map[string]any))
		if z.active && holdsAddress(address.text("type"), address.text("value"), ip) {
			return true
		}
	}
	return false
}

func holdsAddress(kind, value string, ip netip.Addr) bool {
	if kind == "CIDR" {
		prefix, err := netip.ParsePrefix(value)
		return err == nil && prefix.Contains(ip)
	}
	from, to, ok := addressRange(value)
	return ok && from.BitLen() == ip.BitLen() && !ip.Less(from) && !to.Less(ip)
}

// inNetwork tells whether an address fulfils a network condition. What is excluded is
// out even where it is included.
func (o *Org) inNetwork(network document, ip netip.Addr) bool {
	if network.text("connection") != "ZONE" {
		return true
	}
	within := func(ids []string) bool {
		for _, id := range ids {
			if z, found := o.zones.get(id); found && z.holds(ip) {
				return true
			}
		}
		return false
	}
	included := network.texts("include")
	return !within(network.texts("exclude")) && (len(included) == 0 || within(included))
}

// blocked tells an address that the org does not talk to at all.
func (o *Org) blocked(ip netip.Addr) bool {
	for _, z := range o.zones.order {
		if z.usage() == "BLOCKLIST" && z.holds(ip) {
			return true
		}
	}
	return false
}
