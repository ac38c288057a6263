// Package orphanlist is the list of orphans as it stands in a ConfigMap of the operator's
// namespace: for people, for kubectl agentid, and for the sweeper itself, whose memory it is.
//
// It refuses to know how orphans are found and what is done about them.
package orphanlist

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// Name is the ConfigMap, in the operator's own namespace.
const Name = "agent-identity-operator-orphans"

// Key is under which the list stands in it.
const Key = "orphans.yaml"

const header = "# What in Okta carries the mark of an object that does not exist. The operator writes this list\n" +
	"# and reads from it what it has seen and done before: if it is deleted, every grace begins anew.\n"

// List is the list as a person reads it.
type List struct {
	Policy plan.OrphanPolicy `json:"policy"`
	// Held says why the policy does nothing.
	Held    string  `json:"held,omitempty"`
	Orphans []Entry `json:"orphans"`
	// NotListed counts orphans and tombstones that have no room.
	NotListed  int     `json:"notListed,omitempty"`
	Tombstones []Entry `json:"tombstones,omitempty"`
}

// Entry is an orphan, or a tombstone whose client is none of them.
type Entry struct {
	// Owner is the object that it belonged to: its kind, namespace and name.
	Owner        string           `json:"owner"`
	ClientID     string           `json:"clientID,omitempty"`
	AppID        string           `json:"appID,omitempty"`
	State        plan.OrphanState `json:"state,omitempty"`
	FirstSeen    *metav1.Time     `json:"firstSeen,omitempty"`
	Deactivating *metav1.Time     `json:"deactivating,omitempty"`
	Deactivated  *metav1.Time     `json:"deactivated,omitempty"`
	// Why and Since are those of a tombstone.
	Why   string       `json:"why,omitempty"`
	Since *metav1.Time `json:"since,omitempty"`
	// Plan says what is done and why, or what must be done by a person.
	Plan string `json:"plan"`
	Mark string `json:"mark"`
}

// Read reads the list out of what stands under Key; nothing is an empty list.
func Read(text string) (List, error) {
	var l List
	if err := yaml.Unmarshal([]byte(text), &l); err != nil {
		return List{}, fmt.Errorf("reading the list of orphans: %w", err)
	}
	return l, nil
}

// Text is the list as it stands under Key.
func (l List) Text() (string, error) {
	text, err := yaml.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("writing the list of orphans: %w", err)
	}
	return header + string(text), nil
}
