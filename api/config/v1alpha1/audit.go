package v1alpha1

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Audit says how AuditSinks are served.
type Audit struct {
	// pollInterval is how often Okta is asked for new events once all have been read, from
	// 5s to 10m, by default 30s. Nothing is asked while there is no AuditSink.
	PollInterval metav1.Duration `json:"pollInterval,omitempty"`

	// allowedNetworks are networks that events may be sent to although they are among
	// those the operator refuses otherwise: its own machine, link-local addresses and
	// what else is no receiver. In CIDR notation, such as 127.0.0.0/8.
	AllowedNetworks []string `json:"allowedNetworks,omitempty"`

	// deniedNetworks are networks that no event is sent to besides, such as those of nodes.
	DeniedNetworks []string `json:"deniedNetworks,omitempty"`
}

// Allowed are the prefixes of allowedNetworks.
func (a Audit) Allowed() []netip.Prefix { return prefixes(a.AllowedNetworks) }

// Denied are the prefixes of deniedNetworks.
func (a Audit) Denied() []netip.Prefix { return prefixes(a.DeniedNetworks) }

// prefixes leaves out what validate refuses.
func prefixes(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		if p, err := netip.ParsePrefix(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

func (a Audit) validate() error {
	every := a.PollInterval.Duration
	all := []error{require(every >= 5*time.Second && every <= 10*time.Minute, "audit.pollInterval", "must be from 5s to 10m", every)}
	for field, networks := range map[string][]string{"allowedNetworks": a.AllowedNetworks, "deniedNetworks": a.DeniedNetworks} {
		for i, text := range networks {
			_, err := netip.ParsePrefix(text)
			all = append(all, require(err == nil, fmt.Sprintf("audit.%s[%d]", field, i), "must be a network such as 10.0.0.0/8", text))
		}
	}
	return errors.Join(all...)
}
