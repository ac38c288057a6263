package identity

import (
	"fmt"
	"strconv"
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
	// Since is when the owner was created, in Unix seconds. Of two owners of one
	// name it tells the later one.
	Since int64
}

// Ref is "Kind/namespace/name".
func (m Mark) Ref() string { return m.Kind + "/" + m.Namespace + "/" + m.Name }

// String is the mark's written form; ParseMark reads it back.
func (m Mark) String() string {
	return fmt.Sprintf("%s;cluster=%s;ref=%s;uid=%s;since=%d", markPrefix, m.Cluster, m.Ref(), m.UID, m.Since)
}

// IsZero tells an object that carries no mark.
func (m Mark) IsZero() bool { return m == Mark{} }

// Namesake tells that the other mark is that of an owner of the same name in the
// same cluster, whatever its uid.
func (m Mark) Namesake(other Mark) bool {
	return m.Cluster == other.Cluster && m.Ref() == other.Ref()
}

// Succeeds tells that the other mark is that of a namesake created earlier, of which
// there can be nothing left in the cluster. Of two operators that were given one
// clusterID by mistake, only one owner of the two can succeed the other.
func (m Mark) Succeeds(other Mark) bool {
	return m.Namesake(other) && m.UID != other.UID && m.Since > other.Since
}

// MayChange tells that an object with the other mark may be changed for this owner.
func (m Mark) MayChange(other Mark) bool { return m == other || m.Succeeds(other) }

// Consent is the line by which an administrator of the directory lets this owner take
// over a client that is not its own. It stands in the client's note, where nobody
// writes who can only write Kubernetes objects.
func (m Mark) Consent() string {
	return fmt.Sprintf("adoptable-by=%s;cluster=%s;ref=%s", manager, m.Cluster, m.Ref())
}

// ConsentedIn tells that the note has the line of Consent.
func (m Mark) ConsentedIn(note string) bool {
	for line := range strings.Lines(note) {
		if strings.TrimSpace(line) == m.Consent() {
			return true
		}
	}
	return false
}

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
	since, err := strconv.ParseInt(fields["since"], 10, 64)
	if len(ref) != 3 || fields["cluster"] == "" || fields["uid"] == "" || err != nil {
		return Mark{}, false
	}
	return Mark{
		Cluster: fields["cluster"], Kind: ref[0], Namespace: ref[1], Name: ref[2], UID: fields["uid"], Since: since,
	}, true
}
