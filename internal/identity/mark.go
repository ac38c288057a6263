package identity

import (
	"fmt"
	"strings"
)

const (
	manager    = "agent-identity-operator"
	markPrefix = "managed-by=" + manager
)

// Mark says which Kubernetes object a directory object belongs to. It is written
// into every directory object that has room for it; an object without our mark,
// or with the mark of somebody else, is never changed.
type Mark struct {
	// Cluster is the clusterID of the operator's configuration.
	Cluster string
	// Kind, Namespace and Name identify the owner among the objects of the cluster.
	Kind, Namespace, Name string
	// UID tells the owner from a namesake that was created later.
	UID string
}

// Ref is "Kind/namespace/name".
func (m Mark) Ref() string { return m.Kind + "/" + m.Namespace + "/" + m.Name }

// String is the mark's written form; ParseMark reads it back.
func (m Mark) String() string {
	return fmt.Sprintf("%s;cluster=%s;ref=%s;uid=%s", markPrefix, m.Cluster, m.Ref(), m.UID)
}

// IsZero tells an object that carries no mark.
func (m Mark) IsZero() bool { return m == Mark{} }

// ParseMark finds a mark on a line of its own within text, which may hold other
// words of a person or of ours. The second result is false when there is none.
func ParseMark(text string) (Mark, bool) {
	for line := range strings.Lines(text) {
		if m, ok := parseMarkLine(strings.TrimSpace(line)); ok {
			return m, true
		}
	}
	return Mark{}, false
}

func parseMarkLine(line string) (Mark, bool) {
	rest, ok := strings.CutPrefix(line, markPrefix+";")
	if !ok {
		return Mark{}, false
	}
	fields := map[string]string{}
	for pair := range strings.SplitSeq(rest, ";") {
		key, value, found := strings.Cut(pair, "=")
		if !found {
			return Mark{}, false
		}
		fields[key] = value
	}
	ref := strings.Split(fields["ref"], "/")
	if len(ref) != 3 || fields["cluster"] == "" || fields["uid"] == "" {
		return Mark{}, false
	}
	return Mark{
		Cluster: fields["cluster"], Kind: ref[0], Namespace: ref[1], Name: ref[2], UID: fields["uid"],
	}, true
}
