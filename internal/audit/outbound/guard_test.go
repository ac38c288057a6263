package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

func prefixes(texts ...string) []netip.Prefix {
	var found []netip.Prefix
	for _, text := range texts {
		found = append(found, netip.MustParsePrefix(text))
	}
	return found
}

// TestCheck holds the table of addresses; reason says why each is judged so. The network
// that is named is "" where the address may be dialled.
func TestCheck(t *testing.T) {
	cluster := Guard{Denied: prefixes("10.96.0.0/12", "fd00:10:96::/112")}
	demo := Guard{Allowed: prefixes("127.0.0.0/8", "::1/128"), Denied: prefixes("127.0.0.0/8")}
	for addr, test := range map[string]struct {
		reason string
		guard  Guard
		want   string
	}{
		"203.0.113.7":                    {"the world may be sent to", Guard{}, ""},
		"2001:db8::7":                    {"by IPv6 too", Guard{}, ""},
		"10.1.2.3":                       {"many a receiver is in a private network", cluster, ""},
		"192.168.1.1":                    {"many a receiver is in a private network", Guard{}, ""},
		"fd12:3456::1":                   {"and so are those of IPv6", cluster, ""},
		"100.64.0.1":                     {"carriers' addresses are some pods'", Guard{}, ""},
		"127.0.0.1":                      {"this machine is the operator's", Guard{}, "127.0.0.0/8 (loopback)"},
		"127.255.255.254":                {"all of 127 is", Guard{}, "127.0.0.0/8 (loopback)"},
		"::1":                            {"by IPv6 too", Guard{}, "::1/128 (loopback)"},
		"0.0.0.0":                        {"Linux dials itself", Guard{}, "0.0.0.0/8 (unspecified)"},
		"0.1.2.3":                        {"this network is no other", Guard{}, "0.0.0.0/8 (unspecified)"},
		"::":                             {"Linux dials itself", Guard{}, "::/128 (unspecified)"},
		"169.254.169.254":                {"it gives out the node's credentials", Guard{}, "169.254.169.254/32 (metadata service of the cloud)"},
		"169.254.170.2":                  {"it gives out the task's credentials", Guard{}, "169.254.170.0/24"},
		"169.254.170.23":                 {"and the pod's, on EKS", Guard{}, "169.254.170.0/24"},
		"169.254.42.42":                  {"the whole of link-local is such", Guard{}, "169.254.0.0/16 (link-local)"},
		"fe80::1":                        {"a neighbour of the node", Guard{}, "fe80::/10 (link-local)"},
		"fe80::a9fe:a9fe%eth0":           {"a zone hides nothing", Guard{}, "fe80::/10 (link-local)"},
		"fec0::1":                        {"what became of site-local", Guard{}, "fec0::/10"},
		"fd00:ec2::254":                  {"AWS's by IPv6", Guard{}, "fd00:ec2::/32 (metadata service of AWS)"},
		"fd00:ec2::23":                   {"EKS's by IPv6", Guard{}, "fd00:ec2::/32"},
		"fd20:ce::254":                   {"Google's by IPv6", Guard{}, "fd20:ce::/32"},
		"fd00:42::42":                    {"Scaleway's", Guard{}, "fd00:42::42/128"},
		"100.100.100.200":                {"Alibaba's is not link-local", Guard{}, "100.100.100.200/32"},
		"168.63.129.16":                  {"Azure's looks like anybody's", Guard{}, "168.63.129.16/32"},
		"192.0.0.192":                    {"Oracle's", Guard{}, "192.0.0.0/24"},
		"224.0.0.1":                      {"nobody answers to all", Guard{}, "224.0.0.0/4 (multicast)"},
		"ff02::1":                        {"by IPv6 too", Guard{}, "ff00::/8 (multicast)"},
		"255.255.255.255":                {"broadcast", Guard{}, "240.0.0.0/4"},
		"240.0.0.1":                      {"reserved", Guard{}, "240.0.0.0/4"},
		"100::1":                         {"where packets end", Guard{}, "100::/64"},
		"::ffff:127.0.0.1":               {"IPv4-mapped is IPv4", Guard{}, "127.0.0.0/8"},
		"::ffff:169.254.169.254":         {"IPv4-mapped is IPv4", Guard{}, "169.254.169.254/32"},
		"::ffff:203.0.113.7":             {"which may be the world", Guard{}, ""},
		"::127.0.0.1":                    {"IPv4-compatible", Guard{}, "127.0.0.0/8"},
		"::ffff:0:169.254.169.254":       {"IPv4-translated", Guard{}, "169.254.169.254/32"},
		"64:ff9b::a9fe:a9fe":             {"NAT64 makes it 169.254.169.254", Guard{}, "169.254.169.254/32"},
		"64:ff9b::7f00:1":                {"NAT64 makes it 127.0.0.1", Guard{}, "127.0.0.0/8"},
		"64:ff9b::cb00:7107":             {"and this the world", Guard{}, ""},
		"64:ff9b:1::a9fe:a9fe":           {"local NAT64, by /96", Guard{}, "64:ff9b:1::/48"},
		"64:ff9b:1:a9fe:a9:fe00::":       {"local NAT64, by /48", Guard{}, "64:ff9b:1::/48"},
		"2002:a9fe:a9fe::1":              {"6to4", Guard{}, "169.254.169.254/32"},
		"2002:7f00:1::":                  {"6to4", Guard{}, "127.0.0.0/8"},
		"2001:0:a9fe:a9fe::":             {"the server of Teredo", Guard{}, "169.254.169.254/32"},
		"2001:0:cb00:7107:0:0:5601:5601": {"the client of Teredo, flipped", Guard{}, "169.254.169.254/32"},
		"2001:db8::5efe:169.254.169.254": {"ISATAP", Guard{}, "169.254.169.254/32"},
		"2001:db8::200:5efe:127.0.0.1":   {"ISATAP, of a global address", Guard{}, "127.0.0.0/8"},
		"10.96.0.1":                      {"the cluster's API server", cluster, "10.96.0.0/12 that the operator's configuration denies"},
		"10.111.255.255":                 {"the last of its services", cluster, "10.96.0.0/12"},
		"10.112.0.1":                     {"and beyond", cluster, ""},
		"fd00:10:96::1":                  {"by IPv6 too", cluster, "fd00:10:96::/112"},
		"64:ff9b::a60:1":                 {"10.96.0.1 behind NAT64", cluster, "10.96.0.0/12"},
		"::ffff:10.96.0.1":               {"IPv4-mapped is IPv4", cluster, "10.96.0.0/12"},
		"127.0.0.2":                      {"what is allowed wins", demo, ""},
		"0:0:0:0:0:0:0:1":                {"however it is written", demo, ""},
		"::ffff:127.0.0.2":               {"IPv4-mapped is IPv4", demo, ""},
		"64:ff9b::7f00:2":                {"another machine's loopback was not allowed", demo, "127.0.0.0/8"},
		"::ffff:7f00:3":                  {"a mapped prefix allows IPv4", Guard{Allowed: prefixes("::ffff:127.0.0.0/104")}, ""},
		"169.254.169.250":                {"loopback allows no more than itself", demo, "169.254.0.0/16"},
		"169.254.169.253":                {"a wide denial is one", Guard{Denied: prefixes("0.0.0.0/0")}, "0.0.0.0/0 that the operator's"},
		"2001:db8:1::1":                  {"an allowed network may lie in a denied one", Guard{Denied: prefixes("::/0"), Allowed: prefixes("2001:db8:1::/48")}, ""},
	} {
		t.Run(addr, func(t *testing.T) {
			err := test.guard.check(netip.MustParseAddr(addr))
			if test.want == "" {
				if err != nil {
					t.Errorf("%s, but: %v", test.reason, err)
				}
				return
			}
			refusal, ok := errors.AsType[*output.Error](err)
			if !ok || refusal.Kind != output.Forbidden || !strings.Contains(refusal.Message, test.want) {
				t.Errorf("%s: got %v, want a refusal that names %s", test.reason, err, test.want)
			}
		})
	}
}

// TestClientRefuses dials endpoints as people may write them. None is reached: the servers
// on loopback count who comes.
func TestClientRefuses(t *testing.T) {
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resolver := resolving(t, map[string][]string{
		"metadata.google.internal.": {"169.254.169.254"},
		"localtest.example.":        {"127.0.0.1"},
		"all.example.":              {"127.0.0.1", "169.254.169.254", "0.0.0.0"},
	})
	client := Guard{resolver: resolver}.Client(nil)
	t.Cleanup(client.CloseIdleConnections)
	for name, test := range map[string]struct{ reason, url string }{
		"Address":     {"it is this machine", "http://127.0.0.1:" + port},
		"Short":       {"a resolver may read 127.1 as 127.0.0.1", "http://127.1:" + port},
		"Decimal":     {"or a number", "http://2130706433:" + port},
		"Hexadecimal": {"in any base", "http://0x7f000001:" + port},
		"Octal":       {"in any base", "http://0177.0.0.1:" + port},
		"Localhost":   {"it is this machine", "http://localhost:" + port},
		"Dotted":      {"it still is", "http://localhost.:" + port},
		"Mapped":      {"IPv4 within IPv6", "http://[::ffff:127.0.0.1]:" + port},
		"Loopback6":   {"by IPv6", "http://[::1]:" + port},
		"Nothing":     {"an empty host is this machine", "http://:" + port},
		"Zero":        {"0 is this machine", "http://0.0.0.0:" + port},
		"Zero6":       {"so is ::", "http://[::]:" + port},
		"Name":        {"a name hides no address", "http://localtest.example.:" + port},
		"Metadata":    {"Google's by its name", "http://metadata.google.internal./computeMetadata/v1/"},
		"Several":     {"nor do several", "http://all.example.:" + port},
		"Credentials": {"AWS's credentials", "http://169.254.169.254/latest/meta-data/iam/security-credentials/"},
		"NAT64":       {"through a gateway", "http://[64:ff9b::7f00:1]:" + port},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := client.Get(test.url)
			if err == nil {
				resp.Body.Close()
				t.Fatalf("%s: %s answered %s", test.reason, test.url, resp.Status)
			}
			// Words that are no address and no name anybody resolves may fail as such.
			_, unresolved := errors.AsType[*net.DNSError](err)
			refusal, ok := errors.AsType[*output.Error](err)
			if !unresolved && (!ok || refusal.Kind != output.Forbidden || !strings.Contains(refusal.Message, "allow the network")) {
				t.Errorf("%s: %s: got %v, want a refusal with the way out", test.reason, test.url, err)
			}
			if ok && strings.Contains(refusal.Message, port) {
				t.Errorf("the message holds what changes: %s", refusal.Message)
			}
		})
	}
	if reached.Load() != 0 {
		t.Errorf("the server was reached %d times", reached.Load())
	}
}

func TestDialContextSpeaksTCPOnly(t *testing.T) {
	for _, network := range []string{"unix", "unixgram", "udp", "ip"} {
		conn, err := Guard{}.DialContext(t.Context(), network, "/run/containerd.sock")
		if refusal, ok := errors.AsType[*output.Error](err); !ok || refusal.Kind != output.Forbidden {
			t.Errorf("%s: got %v, %v, want a refusal", network, conn, err)
		}
	}
}

// TestRebinding is a name that is good when it is looked up first.
func TestRebinding(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string][]string{"rebind.example.": {"127.0.0.1"}}
	client := Guard{Allowed: prefixes("127.0.0.1/32"), resolver: resolving(t, answers)}.Client(nil)
	t.Cleanup(client.CloseIdleConnections)
	url := "http://rebind.example.:" + port
	resp, err := client.Get(url)
	if err != nil {
		t.Fatalf("the good address was not reached: %v", err)
	}
	resp.Body.Close()
	answers["rebind.example."] = []string{"169.254.169.254"}
	client.CloseIdleConnections()
	resp, err = client.Get(url)
	if refusal, ok := errors.AsType[*output.Error](err); !ok || refusal.Kind != output.Forbidden {
		t.Errorf("the name led elsewhere and was followed: %v, %v", resp, err)
	}
}
