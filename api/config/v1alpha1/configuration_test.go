package v1alpha1

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const smallest = `
apiVersion: config.agentidentity.dev/v1alpha1
kind: Configuration
clusterID: prod-1
okta: {orgURL: "https://example.okta.com"}
`

func TestDefaults(t *testing.T) {
	got, err := Parse([]byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	want := &Configuration{
		TypeMeta:            metav1.TypeMeta{APIVersion: APIVersion, Kind: Kind},
		ClusterID:           "prod-1",
		Okta:                Okta{OrgURL: "https://example.okta.com", CredentialsDirectory: "/var/run/secrets/okta", RateLimitShare: 50},
		Audience:            "api://ai-agents",
		AccessTokenLifetime: metav1.Duration{Duration: 15 * time.Minute},
		ResyncInterval:      metav1.Duration{Duration: 12 * time.Hour},
		Orphans: Orphans{
			Policy: "Report", Interval: metav1.Duration{Duration: time.Hour}, Grace: metav1.Duration{Duration: time.Hour},
		},
		DeletionBrake:  DeletionBrake{KeysPerHour: new(25)},
		Audit:          Audit{PollInterval: metav1.Duration{Duration: 30 * time.Second}},
		WithoutCeiling: "Allow",
		Manager: Manager{
			MetricsBindAddress: "0", HealthProbeBindAddress: ":8081", LeaderElection: "Enabled", Workers: 8, WebhookPort: 9443,
			LeaseDuration: metav1.Duration{Duration: 15 * time.Second},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the smallest configuration (-want +got):\n%s", diff)
	}
}

// TestRefused: every mistake is told with its field.
func TestRefused(t *testing.T) {
	tests := map[string]struct {
		reason string
		change [2]string
		want   string
	}{
		"UnknownField":  {"a misspelt field would be ignored", [2]string{"clusterID:", "clusterId:"}, "clusterId"},
		"OtherVersion":  {"a later version may mean something else", [2]string{"dev/v1alpha1", "dev/v2"}, "apiVersion"},
		"NoCluster":     {"marks need it", [2]string{"prod-1", `""`}, "clusterID"},
		"BadCluster":    {"names in Okta hold it", [2]string{"prod-1", "Prod_1"}, "clusterID"},
		"LongCluster":   {"names in Okta are short", [2]string{"prod-1", strings.Repeat("a", 31)}, "clusterID"},
		"PlainHTTP":     {"credentials would travel in clear", [2]string{"https://", "http://"}, "okta.orgURL"},
		"NoHost":        {"it is no address", [2]string{"https://example.okta.com", "example.okta.com"}, "okta.orgURL"},
		"WithPath":      {"an issuer is not the org", [2]string{"okta.com", "okta.com/oauth2/default"}, "okta.orgURL"},
		"WithUser":      {"a password in a file that is no Secret", [2]string{"https://", "https://a:b@"}, "okta.orgURL"},
		"ShareTooLarge": {"there is no more than all", [2]string{"okta: {", "okta: {rateLimitShare: 101, "}, "okta.rateLimitShare"},
		"ShortTokens":   {"Okta's least is 5 minutes", [2]string{"kind:", "accessTokenLifetime: 1m\nkind:"}, "accessTokenLifetime"},
		"OddTokens":     {"Okta counts minutes", [2]string{"kind:", "accessTokenLifetime: 5m30s\nkind:"}, "accessTokenLifetime"},
		"HastyResync":   {"it would eat the rate limit", [2]string{"kind:", "resyncInterval: 1s\nkind:"}, "resyncInterval"},
		"OrphanPolicy":  {"a misspelt policy would do something else", [2]string{"kind:", "orphans: {policy: Remove}\nkind:"}, "orphans.policy"},
		"HastySweeps":   {"every sweep lists all objects", [2]string{"kind:", "orphans: {interval: 10s}\nkind:"}, "orphans.interval"},
		"ShortGrace":    {"Okta's lists lag", [2]string{"kind:", "orphans: {grace: 1m}\nkind:"}, "orphans.grace"},
		"HastyPolls":    {"the log has a small rate limit", [2]string{"kind:", "audit: {pollInterval: 1s}\nkind:"}, "audit.pollInterval"},
		"NoNetwork": {
			"an address is no network", [2]string{"kind:", "audit: {allowedNetworks: [10.0.0.1]}\nkind:"}, "audit.allowedNetworks[0]",
		},
		"NegativeBrake": {"no brake is 0", [2]string{"kind:", "deletionBrake: {keysPerHour: -1}\nkind:"}, "deletionBrake.keysPerHour"},
		"NoPort":        {"there is no such port", [2]string{"kind:", "manager: {webhookPort: 70000}\nkind:"}, "manager.webhookPort"},
		"ManyWorkers":   {"more than Okta lets through", [2]string{"kind:", "manager: {workers: 65}\nkind:"}, "manager.workers"},
		"HastyLease":    {"a slow API server would end every process", [2]string{"kind:", "manager: {leaseDuration: 3s}\nkind:"}, "manager.leaseDuration"},
		"Election":      {"it is a word, not a boolean", [2]string{"kind:", "manager: {leaderElection: \"true\"}\nkind:"}, "manager.leaderElection"},
		"NobodysApp":    {"it allows nothing", [2]string{"kind:", "governedApps: [{app: A, namespaces: []}]\nkind:"}, "governedApps[0].namespaces"},
		"NamelessApp":   {"it would be any", [2]string{"kind:", "governedApps: [{namespaces: [a]}]\nkind:"}, "governedApps[0].app"},
		"Ceilings":      {"it is one of two words", [2]string{"kind:", "withoutCeiling: Maybe\nkind:"}, "withoutCeiling"},
		"IncidentsName": {"it is a namespace", [2]string{"kind:", "incidentNamespace: In_cidents\nkind:"}, "incidentNamespace"},
		"NotYAML":       {"the parser says where", [2]string{"kind:", "kind: ["}, "parsing the configuration"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(smallest, tc.change[0], tc.change[1], 1)
			if text == smallest {
				t.Fatal("the change changes nothing")
			}
			_, err := Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: error is %v, want one that names %q", tc.reason, err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "a:b@") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

// TestNoBrake: 0 is not the same as nothing.
func TestNoBrake(t *testing.T) {
	got, err := Parse([]byte(smallest + "deletionBrake: {keysPerHour: 0}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if *got.DeletionBrake.KeysPerHour != 0 {
		t.Errorf("the brake is %d keys an hour, want 0", *got.DeletionBrake.KeysPerHour)
	}
}

func TestLoopbackMayBePlain(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:1234", "http://localhost", "http://[::1]:80"} {
		if _, err := Parse([]byte(strings.Replace(smallest, "https://example.okta.com", url, 1))); err != nil {
			t.Errorf("%s is refused: %v", url, err)
		}
	}
}

// TestShippedConfiguration: the file that config/ installs is one.
func TestShippedConfiguration(t *testing.T) {
	if _, err := Load(filepath.Join("..", "..", "..", "config", "manager", "configuration.yaml")); err != nil {
		t.Error(err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}
