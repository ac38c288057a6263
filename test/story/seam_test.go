package story

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// phase is the moment of a call at which the process dies.
type phase string

const (
	// beforeCall: the process dies, and the call is never made.
	beforeCall phase = "before"
	// lostAnswer: the call is carried out, its answer is lost, and the process lives on.
	lostAnswer phase = "lost"
	// afterCall: the process dies once the call is carried out.
	afterCall phase = "after"
	// pausedCall: the process is stopped before the call, another one takes over and
	// finishes, and then the call goes out, the last of the first process: it has lost
	// its lease meanwhile.
	pausedCall phase = "paused"
)

func phases() []phase { return []phase{beforeCall, lostAnswer, afterCall, pausedCall} }

// point is one moment at which the operator can be killed: the nth call of a name.
type point struct {
	call  string
	nth   int
	phase phase
}

func (p point) String() string { return fmt.Sprintf("%s %s #%d", p.phase, p.call, p.nth) }

var (
	errDead = errors.New("the process is dead")
	errLost = errors.New("connection reset by peer")
)

// seam stands around every call the operator makes to Okta and every write it
// makes to Kubernetes. It records them, and kills the process at one of them: from
// that moment no call gets out any more, as after kill -9.
type seam struct {
	target point // zero: only record

	mu    sync.Mutex
	calls map[string]int
	order []string
	// refused counts by name the calls that Kubernetes answered with a conflict.
	refused map[string]int
	dead    bool
	// begun tells that the call to strike at has come; it may be on its way still.
	begun bool
	// struck is closed when the target is reached: the process is dead then, or stopped,
	// or has lost an answer.
	struck chan struct{}
	// goOn lets a stopped process go on.
	goOn chan struct{}
	// went is closed when its last call is over.
	went chan struct{}
}

func newSeam(target point) *seam {
	return &seam{
		target: target, calls: map[string]int{}, refused: map[string]int{},
		struck: make(chan struct{}), goOn: make(chan struct{}), went: make(chan struct{}),
	}
}

// around makes the call unless the process is dead or dies of it.
func (s *seam) around(name string, call func() error) error {
	nth, alive := s.enter(name)
	if !alive || s.strike(point{name, nth, beforeCall}, true) {
		return errDead
	}
	if s.strike(point{name, nth, pausedCall}, true) {
		<-s.goOn
		_ = call()
		close(s.went)
		return errDead
	}
	err := call()
	s.note(name, err)
	if s.strike(point{name, nth, afterCall}, true) || s.isDead() {
		return errDead
	}
	if s.strike(point{name, nth, lostAnswer}, false) {
		return errLost
	}
	return err
}

func (s *seam) enter(name string) (nth int, alive bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return 0, false
	}
	s.calls[name]++
	s.order = append(s.order, name)
	if s.target.call == name && s.target.nth == s.calls[name] {
		s.begun = true
	}
	return s.calls[name], true
}

func (s *seam) note(name string, err error) {
	if apierrors.IsConflict(err) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refused[name]++
	}
}

// onlyRepeats tells that the nth call of the name was made because another of the name
// met a conflict: a run in which the cache is quicker does without it.
func (s *seam) onlyRepeats(name string, nth int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return nth > s.calls[name]-s.refused[name]
}

// strike tells that the target is reached, once, and kills the process by it.
func (s *seam) strike(at point, deadly bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead || at != s.target {
		return false
	}
	s.dead = deadly
	close(s.struck)
	return true
}

// disarm keeps the seam from striking any more, and tells whether it has struck. Okta
// can show what a call did before the call is over: one that is on its way strikes yet.
func (s *seam) disarm() bool {
	s.mu.Lock()
	begun := s.begun
	if !begun {
		s.target = point{}
	}
	s.mu.Unlock()
	if begun {
		<-s.struck
	}
	return begun
}

func (s *seam) reached() bool {
	select {
	case <-s.struck:
		return true
	default:
		return false
	}
}

func (s *seam) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// points are the moments of every call recorded.
func (s *seam) points() []point {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]int{}
	var points []point
	for _, name := range s.order {
		seen[name]++
		for _, p := range phases() {
			points = append(points, point{name, seen[name], p})
		}
	}
	return points
}

// toOkta counts the calls to Okta, also those that did not get through.
func (s *seam) toOkta() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for name, calls := range s.calls {
		if strings.HasPrefix(name, "Okta ") {
			n += calls
		}
	}
	return n
}

// into puts the seam into an operator.
func (s *seam) into(o *operator.Options) {
	o.OktaTransport = s.transport(http.DefaultTransport.(*http.Transport).Clone())
	o.NewClient = s.newClient
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// id is anything in a path that names one object of one org.
var id = regexp.MustCompile(`/(0oa|00g|aus|scp|00p|0pr|pks|ocs)[0-9A-Za-z]+`)

func (s *seam) transport(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (response *http.Response, err error) {
		name := "Okta " + r.Method + " " + id.ReplaceAllString(r.URL.Path, "/{$1}")
		err = s.around(name, func() error {
			response, err = base.RoundTrip(r)
			return err
		})
		if err != nil && response != nil {
			_ = response.Body.Close()
			response = nil
		}
		return response, err
	})
}

func (s *seam) newClient(config *rest.Config, options client.Options) (client.Client, error) {
	c, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	return interceptor.NewClient(c, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return s.around(named("create", c, obj), func() error { return c.Create(ctx, obj, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			return s.around(named("update", c, obj), func() error { return c.Update(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return s.around(named("patch", c, obj), func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return s.around(named("delete", c, obj), func() error { return c.Delete(ctx, obj, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return s.around(named("patch "+sub+" of", c, obj), func() error { return c.SubResource(sub).Patch(ctx, obj, patch, opts...) })
		},
	}), nil
}

func named(verb string, c client.Client, obj runtime.Object) string {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", obj), "*")
	if gvk, err := c.GroupVersionKindFor(obj); err == nil {
		kind = gvk.Kind
	}
	name := ""
	if o, ok := obj.(client.Object); ok {
		name = o.GetName()
	}
	return "Kubernetes " + verb + " " + kind + " " + name
}
