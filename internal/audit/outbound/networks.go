package outbound

import (
	"encoding/binary"
	"net/netip"
)

// network is one that nobody's receiver is in, with its name for people.
type network struct {
	prefix netip.Prefix
	name   string
}

// reserved are the networks that are refused unless they are allowed: there is the
// operator's own machine, and what gives credentials to whoever asks from it. The
// metadata services outside link-local stand first, so that they are called what they
// are. Private networks are not among them: many a receiver is in one.
func reserved() []network {
	return []network{
		{netip.MustParsePrefix("169.254.169.254/32"), "metadata service of the cloud"},
		{netip.MustParsePrefix("169.254.170.0/24"), "credentials service of AWS for containers"},
		{netip.MustParsePrefix("fd00:ec2::/32"), "metadata service of AWS"},
		{netip.MustParsePrefix("fd20:ce::/32"), "metadata service of Google Cloud"},
		{netip.MustParsePrefix("fd00:42::42/128"), "metadata service of Scaleway"},
		{netip.MustParsePrefix("100.100.100.200/32"), "metadata service of Alibaba Cloud"},
		{netip.MustParsePrefix("168.63.129.16/32"), "metadata service of Azure"},
		{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments, with the metadata service of Oracle Cloud"},
		{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
		{netip.MustParsePrefix("::1/128"), "loopback"},
		{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
		{netip.MustParsePrefix("fe80::/10"), "link-local"},
		{netip.MustParsePrefix("fec0::/10"), "site-local, which is deprecated"},
		{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
		{netip.MustParsePrefix("ff00::/8"), "multicast"},
		{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
		{netip.MustParsePrefix("::/128"), "unspecified"},
		{netip.MustParsePrefix("240.0.0.0/4"), "reserved, with broadcast"},
		{netip.MustParsePrefix("100::/64"), "discard-only"},
		// Where the IPv4 address stands in these depends on the gateway (RFC 6052, 2.2).
		{netip.MustParsePrefix("64:ff9b:1::/48"), "local NAT64, which may lead anywhere"},
	}
}

// form is a way to write an IPv4 address into one of IPv6: within the prefix, its four
// bytes stand at at, all flipped where flip.
type form struct {
	prefix netip.Prefix
	at     int
	flip   bool
}

// forms are those of which a gateway may make IPv4 again.
func forms() []form {
	return []form{
		{prefix: netip.MustParsePrefix("::/96"), at: 12},                 // IPv4-compatible, RFC 4291
		{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), at: 12},       // IPv4-translated, RFC 2765
		{prefix: netip.MustParsePrefix("64:ff9b::/96"), at: 12},          // NAT64, RFC 6052
		{prefix: netip.MustParsePrefix("2002::/16"), at: 2},              // 6to4, RFC 3056
		{prefix: netip.MustParsePrefix("2001::/32"), at: 4},              // the server of Teredo, RFC 4380
		{prefix: netip.MustParsePrefix("2001::/32"), at: 12, flip: true}, // and its client
	}
}

// embedded are the IPv4 addresses that an address of IPv6 may lead to.
func embedded(addr netip.Addr) []netip.Addr {
	if addr.Is4() {
		return nil
	}
	bytes := addr.As16()
	var found []netip.Addr
	for _, f := range forms() {
		if !f.prefix.Contains(addr) {
			continue
		}
		word := binary.BigEndian.Uint32(bytes[f.at:])
		if f.flip {
			word = ^word
		}
		found = append(found, fromWord(word))
	}
	if word := binary.BigEndian.Uint32(bytes[8:]); word == 0x5efe || word == 0x0200_5efe {
		// ISATAP (RFC 5214) knows its own by the interface, in whatever network.
		found = append(found, netip.AddrFrom4([4]byte(bytes[12:])))
	}
	return found
}

func fromWord(word uint32) netip.Addr {
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], word)
	return netip.AddrFrom4(bytes)
}

// contains tells that one of the prefixes holds the address, and which. A prefix written
// in the IPv4-mapped form is one of IPv4.
func contains(prefixes []netip.Prefix, addr netip.Addr) (netip.Prefix, bool) {
	for _, prefix := range prefixes {
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		if prefix.Contains(addr) {
			return prefix.Masked(), true
		}
	}
	return netip.Prefix{}, false
}
