package detect

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/filter"
	"github.com/agentidentity/agent-identity-operator/internal/audit/recent"
)

const (
	// usual is the window of a detection without a threshold: it is told once in that time.
	usual = time.Hour
	// late is how late an event may come and still be counted.
	late = time.Hour
	// fresh is how old an event may be that is answered: history is told of only.
	fresh = 24 * time.Hour
)

// Finding is what a detection has seen.
type Finding struct {
	Detection string
	Rule      v1alpha1.DetectionRule
	// Response is what may be done, and Mode whether it is done or only told.
	Response v1alpha1.DetectionResponse
	Mode     v1alpha1.DetectionMode
	// Agent is whom it concerns; nil when that is nobody, and then the response is Notify.
	Agent *event.Agent
	// Events are the uuids of the first events of it, 20 at most; Count is how many there were.
	Events      []string
	Count       int
	First, Last time.Time
	// Message says what was seen and what to do, and Withheld why a response that was
	// asked for is not given.
	Message, Withheld string
}

// detection is one that was compiled.
type detection struct {
	v1alpha1.Detection
	rule    rule
	program *filter.Program
	count   int
	within  time.Duration
	acted   map[string]time.Time
}

// key tells windows apart: what may be answered is counted by itself, so that what anybody
// can cause adds nothing to it.
type key struct {
	detection, agent string
	acts             bool
}

// room is what windows take.
type room struct{ windows, entries int }

// Detector examines events. It is safe for concurrent use.
type Detector struct {
	facts Facts

	mu         sync.Mutex
	detections []*detection
	windows    map[key]*window
	// acting and telling are what the windows of the two kinds take.
	acting, telling room
	// head is the latest time of an event that was examined: by it is told what is old, also
	// while history is read.
	head time.Time
	// seen are the latest events, each of which counts once.
	seen    *recent.Set[string]
	dropped int
}

// New compiles detections. To see whether they can be compiled, no facts are needed.
func New(detections []v1alpha1.Detection, facts Facts) (*Detector, error) {
	d := &Detector{facts: facts, windows: map[key]*window{}, seen: recent.New[string](maxSeen)}
	for _, spec := range detections {
		c := &detection{Detection: spec, count: 1, within: usual, acted: map[string]time.Time{}}
		if t := spec.Threshold; t != nil {
			c.count, c.within = max(1, int(t.Count)), t.Within.Duration
		}
		if spec.Rule == "" {
			program, err := filter.Compile(string(spec.Expression))
			if err != nil {
				return nil, fmt.Errorf("spec.detections[%s].expression: %w", spec.Name, err)
			}
			c.program, c.rule.says = program, "the expression held; look at the events"
		} else if r, known := builtIn(spec.Rule); known {
			c.rule = r
		} else {
			return nil, fmt.Errorf("spec.detections[%s].rule: there is no rule %q", spec.Name, spec.Rule)
		}
		d.detections = append(d.detections, c)
	}
	return d, nil
}

// Dropped is how many matches were not counted because too much was held.
func (d *Detector) Dropped() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dropped
}

// Examine tells what is found in the events together with those before.
func (d *Detector) Examine(ctx context.Context, now time.Time, events []*event.Event) []Finding {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(now)
	var found []Finding
	for _, e := range events {
		if e.Operator || !d.seen.Add(e.ID) {
			continue
		}
		if e.Published.After(d.head) && !e.Published.After(now) {
			d.head = e.Published
		}
		in := filter.NewInput(*e)
		for _, c := range d.detections {
			if f, ok := d.look(ctx, now, c, e, in); ok {
				found = append(found, f)
			}
		}
	}
	return found
}

// look shows one event to one detection.
func (d *Detector) look(ctx context.Context, now time.Time, c *detection, e *event.Event, in *filter.Input) (Finding, bool) {
	v := c.judge(ctx, d.facts, e, in)
	if v == nothing {
		return Finding{}, false
	}
	agent := e.Agent
	if c.rule.alone {
		agent = nil
	}
	withheld := c.withheld(v, d.facts, agent, e, now)
	told := d.count(key{c.Name, uid(agent), false}, c, e)
	if withheld == "" && c.asks() {
		if answered := d.count(key{c.Name, uid(agent), true}, c, e); answered != nil {
			return c.finding(agent, answered, c.capped(uid(agent), now)), true
		}
		withheld = "fewer events than the threshold prove that somebody holds the credential"
	}
	if told == nil {
		return Finding{}, false
	}
	return c.finding(agent, told, withheld), true
}

func (c *detection) judge(ctx context.Context, f Facts, e *event.Event, in *filter.Input) verdict {
	if c.program == nil {
		return c.rule.judge(ctx, f, e)
	}
	// What cannot be decided is no match: an agent may hang on it.
	if matched, err := c.program.Match(ctx, in); err != nil || !matched {
		return nothing
	}
	return match
}

// asks tells that people want more than to be told.
func (c *detection) asks() bool {
	return c.Response == v1alpha1.ResponseRotate || c.Response == v1alpha1.ResponseSuspend
}

// withheld is why the event is not answered; empty if it may be.
func (c *detection) withheld(v verdict, f Facts, agent *event.Agent, e *event.Event, now time.Time) string {
	proves, reason := provesPossession(e)
	switch {
	case !c.asks():
		return ""
	case agent == nil:
		return "it names no single agent"
	case v == tell || f.Own(e) != No || f.FromHere(e) != No:
		return "it may be the operator's own doing, or proves nothing"
	case !proves:
		return reason
	case now.Sub(e.Published) > fresh:
		return "it happened more than a day ago"
	default:
		return ""
	}
}

// capped tells why one more agent is not answered in this hour, or counts it.
func (c *detection) capped(agent string, now time.Time) string {
	if _, has := c.acted[agent]; !has && (c.MaxActionsPerHour == nil || len(c.acted) >= int(*c.MaxActionsPerHour)) {
		return "maxActionsPerHour is reached"
	}
	c.acted[agent] = now
	return ""
}

// finding is what is told of events.
func (c *detection) finding(agent *event.Agent, of []entry, withheld string) Finding {
	f := Finding{
		Detection: c.Name, Rule: c.Rule, Response: v1alpha1.ResponseNotify, Agent: agent, Count: len(of),
		First: of[0].at, Last: of[len(of)-1].at, Withheld: withheld,
	}
	if c.asks() && withheld == "" {
		f.Response, f.Mode = c.Response, v1alpha1.ModeDryRun
		if c.Mode == v1alpha1.ModeAct {
			f.Mode = v1alpha1.ModeAct
		}
	}
	for _, o := range of[:min(len(of), cited)] {
		f.Events = append(f.Events, o.id)
	}
	whom := "Detection " + c.Name
	if agent != nil {
		whom += ", agent " + agent.Namespace + "/" + agent.Name
	}
	f.Message = whom + ": " + c.rule.says
	return f
}

// count adds a match to its window.
func (d *Detector) count(k key, c *detection, e *event.Event) []entry {
	used, w := d.roomOf(k), d.windows[k]
	if w == nil && used.windows >= maxWindows || used.entries >= maxEntries {
		d.dropped++
		return nil
	}
	if w == nil {
		w = &window{}
		d.windows[k] = w
		used.windows++
	}
	before := w.size()
	fired := w.add(entry{e.Published, e.ID}, c.count, c.within)
	used.entries += w.size() - before
	return fired
}

// roomOf is that which the window is counted in.
func (d *Detector) roomOf(k key) *room {
	if k.acts {
		return &d.acting
	}
	return &d.telling
}

// forget drops what cannot count any more: what happened longer ago than the time of the
// detection, and as late as events may be.
func (d *Detector) forget(now time.Time) {
	horizon := map[string]time.Time{}
	for _, c := range d.detections {
		horizon[c.Name] = d.head.Add(-c.within - late)
	}
	d.acting, d.telling = room{}, room{}
	for k, w := range d.windows {
		w.forget(horizon[k.detection])
		if w.empty() {
			delete(d.windows, k)
			continue
		}
		used := d.roomOf(k)
		used.windows++
		used.entries += w.size()
	}
	for _, c := range d.detections {
		maps.DeleteFunc(c.acted, func(_ string, at time.Time) bool { return now.Sub(at) >= time.Hour })
	}
}

func uid(a *event.Agent) string {
	if a == nil {
		return ""
	}
	return a.UID
}
