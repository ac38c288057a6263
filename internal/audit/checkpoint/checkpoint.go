// Package checkpoint keeps how far the receivers of audit events are: in a few ConfigMaps in
// the operator's own namespace, where no team can change it, and where it outlives the
// status of an AuditSink.
//
// It refuses to know what a position means.
package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Name leads the names of the ConfigMaps. There are sixteen, one for each hexadecimal digit, and
// the role of the operator names them; each holds some 250 receivers, 1 MiB of data.
const Name = "agent-identity-operator-audit"

// NameOf is the ConfigMap in which a receiver stands: by a digest, so that they fill evenly.
func NameOf(id string) string {
	digest := sha256.Sum256([]byte(id))
	return fmt.Sprintf("%s-%x", Name, digest[0]&0xf)
}

// ErrNoHome means that the operator has no namespace of its own to keep anything in.
var ErrNoHome = errors.New("the operator has no namespace of its own to keep positions in: set manager.leaderElectionNamespace")

// Store implements audit.Positions. Of two processes that write one position the later
// wins. Both have written only what the receiver had acknowledged, so that nothing
// is lost: at most what came in between is sent again.
type Store struct {
	// Live reads from the API server: a cache would hold every ConfigMap there is.
	Live client.Reader
	// Client writes.
	Client client.Writer
	// Namespace is the operator's own.
	Namespace string

	mu sync.Mutex
	// written is what stands there of each receiver.
	written map[string]*entry
}

var _ audit.Positions = (*Store)(nil)

// document is the value of one receiver: what was written last and before that, each with
// a sum, so that one of the two is there whatever became of the other.
type document struct {
	Position *entry `json:"position"`
	Previous *entry `json:"previous,omitempty"`
}

type entry struct {
	Position json.RawMessage `json:"at"`
	Sum      string          `json:"sum"`
}

// position is audit.Position in words that do not change with it.
type position struct {
	Next     string     `json:"next,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Began    time.Time  `json:"began"`
	Last     *time.Time `json:"last,omitempty"`
	Gaps     []gap      `json:"gaps,omitempty"`
	SetAside int64      `json:"setAside,omitempty"`
}

type gap struct {
	From   time.Time       `json:"from"`
	To     time.Time       `json:"to"`
	Reason audit.GapReason `json:"reason"`
}

// Load implements audit.Positions.
func (s *Store) Load(ctx context.Context, id string) (audit.Position, bool, error) {
	if s.Namespace == "" {
		return audit.Position{}, false, ErrNoHome
	}
	var cm corev1.ConfigMap
	err := s.Live.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: NameOf(id)}, &cm)
	if apierrors.IsNotFound(err) {
		return audit.Position{}, false, nil
	}
	if err != nil {
		return audit.Position{}, false, fmt.Errorf("reading ConfigMap %s: %w", NameOf(id), err)
	}
	p, whole := read(cm.Data[id])
	if whole == nil {
		return audit.Position{}, false, nil
	}
	s.remember(id, whole)
	return p, true, nil
}

// read gives the latest position that is whole.
func read(text string) (audit.Position, *entry) {
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return audit.Position{}, nil
	}
	for _, e := range []*entry{d.Position, d.Previous} {
		if e == nil || e.Sum != sum(e.Position) {
			continue
		}
		var p position
		if err := json.Unmarshal(e.Position, &p); err == nil && (p.Next == "") == (p.Since != nil) {
			return p.domain(), e
		}
	}
	return audit.Position{}, nil
}

func sum(text []byte) string {
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:8])
}

// Save implements audit.Positions.
func (s *Store) Save(ctx context.Context, id string, p audit.Position) error {
	if s.Namespace == "" {
		return ErrNoHome
	}
	text, err := json.Marshal(written(p))
	if err != nil {
		return fmt.Errorf("writing a position: %w", err)
	}
	now := &entry{Position: text, Sum: sum(text)}
	s.mu.Lock()
	before := s.written[id]
	s.mu.Unlock()
	value, err := json.Marshal(document{Position: now, Previous: before})
	if err != nil {
		return fmt.Errorf("writing a position: %w", err)
	}
	if err := s.patch(ctx, id, string(value)); err != nil {
		return err
	}
	s.remember(id, now)
	return nil
}

func (s *Store) remember(id string, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written == nil {
		s.written = map[string]*entry{}
	}
	s.written[id] = e
}

// patch writes one key and leaves the others alone, whoever writes them meanwhile.
func (s *Store) patch(ctx context.Context, id string, value any) error {
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: NameOf(id)}}
	patch, err := json.Marshal(map[string]any{"data": map[string]any{id: value}})
	if err != nil {
		return fmt.Errorf("writing a position: %w", err)
	}
	err = s.Client.Patch(ctx, cm, client.RawPatch(types.MergePatchType, patch))
	if !apierrors.IsNotFound(err) || value == nil {
		return wrap(id, client.IgnoreNotFound(err))
	}
	text, _ := value.(string)
	cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: NameOf(id)}, Data: map[string]string{id: text}}
	err = s.Client.Create(ctx, cm)
	if apierrors.IsAlreadyExists(err) {
		err = s.Client.Patch(ctx, cm, client.RawPatch(types.MergePatchType, patch))
	}
	return wrap(id, err)
}

func wrap(id string, err error) error {
	if err != nil {
		return fmt.Errorf("writing ConfigMap %s: %w", NameOf(id), err)
	}
	return nil
}

// Forget implements audit.Positions.
func (s *Store) Forget(ctx context.Context, id string) error {
	if s.Namespace == "" {
		return nil
	}
	s.mu.Lock()
	delete(s.written, id)
	s.mu.Unlock()
	return s.patch(ctx, id, nil)
}

func written(p audit.Position) position {
	w := position{Next: p.Place.Next, Began: p.Began.UTC(), SetAside: p.SetAside}
	if p.Place.Next == "" {
		w.Since = new(p.Place.Since.UTC())
	}
	if !p.Last.IsZero() {
		w.Last = new(p.Last.UTC())
	}
	for _, g := range p.Gaps {
		w.Gaps = append(w.Gaps, gap{g.From.UTC(), g.To.UTC(), g.Reason})
	}
	return w
}

func (p position) domain() audit.Position {
	d := audit.Position{Place: identity.LogPlace{Next: p.Next}, Began: p.Began, SetAside: p.SetAside}
	if p.Since != nil {
		d.Place.Since = *p.Since
	}
	if p.Last != nil {
		d.Last = *p.Last
	}
	for _, g := range p.Gaps {
		d.Gaps = append(d.Gaps, audit.Gap(g))
	}
	return d
}
