package oktasim

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// bodyLimit is the longest request body that is read.
const bodyLimit = 1 << 20

// call is one request on its way through the org.
type call struct {
	request *http.Request
	route   *route
	params  map[string]string
	query   url.Values
	body    []byte
	// unreadable tells that the body broke off or was too long.
	unreadable bool
	now        time.Time
	requestID  string
	principal  string
	struck     map[Phase]Action
	verdict    *throttle.Verdict
	// window is when the window began in which the request's bucket was asked.
	window  time.Time
	crowded bool
	// holds is the parent object whose priorities the request changes.
	holds   string
	blocked bool
	// known tells that the path exists, though with another method.
	known bool
}

// reply is a good answer; a refusal is an error.
type reply struct {
	status int
	// body is written as JSON; nil is an empty body.
	body   any
	header http.Header
}

// answer is what goes over the wire.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func ok(body any) (*reply, error) { return &reply{status: http.StatusOK, body: body}, nil }

func created(body any) (*reply, error) { return &reply{status: http.StatusCreated, body: body}, nil }

func noContent() (*reply, error) { return &reply{status: http.StatusNoContent}, nil }

// ServeHTTP answers as Okta would, or as a fault says.
func (o *Org) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		o.serveControl(w, r)
		return
	}
	c := o.enter(r)
	defer o.leave(c)
	a := o.strikeBefore(c)
	if a == nil {
		a = o.strikeAfter(c, o.decide(c))
	}
	o.send(w, c, a)
}

// enter registers a request: from here on it is in flight.
func (o *Org) enter(r *http.Request) *call {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	c := &call{request: r, body: body, unreadable: err != nil || len(body) > bodyLimit, query: r.URL.Query()}
	c.route, c.params, c.known = o.routes.find(r.Method, r.URL.Path)
	o.mu.Lock()
	defer o.mu.Unlock()
	c.requestID = randomText(o.random, 32)
	c.principal = o.claimedPrincipal(r)
	c.struck = o.faults.Match(r.Method, r.URL.Path)
	o.inFlight++
	c.crowded = o.inFlight > o.options.Concurrency
	if c.route != nil && c.route.locks != "" {
		c.holds = c.params[c.route.locks]
		if c.holds == "" {
			// What all requests of the operation change has no id in the path.
			c.holds = c.route.locks
		}
		c.blocked = o.locks[c.holds] > 0
		o.locks[c.holds]++
	}
	return c
}

func (o *Org) leave(c *call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inFlight--
	if c.holds != "" {
		o.locks[c.holds]--
		if o.locks[c.holds] == 0 {
			delete(o.locks, c.holds)
		}
	}
}

// decide carries a request out and writes it into the operation log.
func (o *Org) decide(c *call) answer {
	o.mu.Lock()
	defer o.mu.Unlock()
	c.now = o.clock.Now()
	good, err := o.carryOut(c)
	if err != nil {
		return o.refuse(c, err)
	}
	o.record(c, good.status, "")
	return answer{status: good.status, header: good.header, body: encode(good.body)}
}

// carryOut holds a request against everything that is the same for all operations,
// in the order Okta does, and then lets the operation decide.
func (o *Org) carryOut(c *call) (*reply, error) {
	if c.route == nil {
		if c.known {
			return nil, noSuchMethod()
		}
		return nil, noSuchPath()
	}
	if c.crowded && c.route.kind != public {
		c.verdict = &throttle.Verdict{Reset: c.now.Add(throttle.Window / 4)}
		o.logCrowd(c)
		return nil, tooManyRequests()
	}
	if err := o.admit(c); err != nil {
		return nil, err
	}
	if err := checkQuery(c); err != nil {
		return nil, err
	}
	if c.unreadable {
		return nil, malformedBody()
	}
	if c.blocked {
		return nil, prioritiesLocked()
	}
	return o.perform(c)
}

// admit counts the request and checks who sends it.
func (o *Org) admit(c *call) error {
	denied := error(nil)
	if c.route.kind == management {
		denied = o.authenticate(c)
	}
	if c.route.bucket != throttle.None {
		counted := ""
		if c.route.kind == management && denied == nil {
			counted = c.principal
		}
		verdict := o.limiter.Take(c.route.bucket, counted, c.now)
		c.verdict, c.window = &verdict, verdict.Reset.Add(-throttle.Window)
		o.logLimit(c, verdict)
		if !verdict.Allowed {
			return tooManyRequests()
		}
	}
	if denied != nil {
		return denied
	}
	if o.unlicensed(c.route.template) {
		return featureMissing()
	}
	if c.route.kind == management {
		return o.authorize(c)
	}
	return nil
}

// checkQuery refuses parameters that are unknown or repeated.
func checkQuery(c *call) error {
	for name, values := range c.query {
		found := false
		for _, allowed := range c.route.query {
			found = found || allowed == name
		}
		if !found {
			bad := validation(name, "The query parameter '"+name+"' is unknown to this API.")
			bad.unknown = []string{"?" + name}
			return bad
		}
		if len(values) > 1 {
			return validation(name, "The query parameter '"+name+"' is repeated.")
		}
	}
	return nil
}

// refuse turns an error into an answer.
func (o *Org) refuse(c *call, err error) answer {
	if bad, is := errors.AsType[*oauthRefusal](err); is {
		o.record(c, bad.status, bad.code)
		o.note(c, bad.unknown)
		return answer{status: bad.status, header: bad.header, body: encode(bad.body())}
	}
	bad, is := errors.AsType[*refusal](err)
	if !is {
		// Nothing else is ever returned by an operation; if it is, the org is broken
		// and must not look as if it were not.
		bad = &refusal{status: http.StatusInternalServerError, code: "E0000009", summary: "Internal Server Error: " + err.Error()}
	}
	o.record(c, bad.status, bad.code)
	o.note(c, strangeness(c, bad))
	return answer{status: bad.status, header: bad.header, body: encode(bad.body(o.errorID()))}
}

// note keeps what a request asked for that this API does not have.
func (o *Org) note(c *call, unknown []string) {
	for _, what := range unknown {
		o.unknown = append(o.unknown, c.request.Method+" "+c.request.URL.Path+": "+what)
	}
}

func strangeness(c *call, bad *refusal) []string {
	switch {
	case c.route != nil:
		return bad.unknown
	case c.known:
		return []string{"the method"}
	}
	return []string{"the path"}
}

func (o *Org) errorID() string { return o.newID("oae", 25) }
