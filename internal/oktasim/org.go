package oktasim

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/eventlog"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/fault"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// Org is one simulated Okta organization. It is an http.Handler and safe for
// concurrent use.
type Org struct {
	clock  clock.PassiveClock
	routes router

	// mu guards everything below. A request holds it while it is decided, never
	// while a fault makes it slow.
	mu      sync.Mutex
	options Options
	random  *rand.Rand
	limiter *throttle.Limiter
	faults  fault.Script

	// id is the org's own.
	id         string
	inFlight   int
	locks      map[string]int
	operations []Operation
	unknown    []string

	apiTokens map[string]string
	clients   map[string]*serviceClient
	orgKey    *signingKey
	spent     replays
	// revoked holds the ids of access tokens until they would have expired.
	revoked replays
	// nonces are those that proofs of possession may use, until they expire.
	nonces replays
	// codes holds the authorization codes that have not been redeemed.
	codes map[string]authCode

	authenticators collection[*authenticator]
	// sent holds when the last message went to a phone or an address.
	sent map[string]time.Time

	users   collection[*user]
	groups  collection[*group]
	apps    collection[*app]
	servers collection[*server]
	// policies are the org's own, each type in the order of its priority.
	policies   []*orgPolicy
	zones      collection[*zone]
	assurances collection[*assurance]
	// customRoles are admin roles, resourceSets what they are over, with their bindings.
	customRoles  collection[*customRole]
	resourceSets collection[*resourceSet]
	journal      *eventlog.Journal
	// eventKinds and happenings are what the journal can be told, and by which requests.
	eventKinds map[string]string
	happenings map[string]happening
	// administrator is the person in the console.
	administrator party
	// limitsTold holds the windows whose limits the journal has been told of.
	limitsTold map[string]time.Time
	// byClientID finds apps by the client_id, which the org holds unique.
	byClientID map[string]*app
}

// New makes an org with what every real one has: the group Everyone and, unless
// API Access Management is missing, the authorization server "default", whose
// policy lets every client have every scope.
func New(options Options) *Org {
	options = options.withDefaults()
	profile, err := options.Limits.Profile()
	if err != nil {
		panic(err)
	}
	random := rand.New(rand.NewPCG(uint64(options.Seed), 0x6f6b7461))
	o := &Org{
		clock:      options.Clock,
		routes:     newRouter(routes()),
		options:    options,
		random:     random,
		limiter:    throttle.NewLimiter(profile, options.PrincipalShare, random),
		locks:      map[string]int{},
		apiTokens:  map[string]string{},
		clients:    map[string]*serviceClient{},
		spent:      replays{},
		revoked:    replays{},
		nonces:     replays{},
		codes:      map[string]authCode{},
		sent:       map[string]time.Time{},
		byClientID: map[string]*app{},
		journal:    eventlog.New(options.Seed),
		eventKinds: eventKinds(),
		happenings: happenings(),
		limitsTold: map[string]time.Time{},
	}
	o.journal.SetTrouble(options.Log)
	o.administrator = newAdministrator(o.journal)
	o.id = o.newID("00o", idLength)
	o.orgKey = newSigningKey(o.random)
	o.SetBaseURL(options.BaseURL)
	o.addEveryone()
	o.addAuthenticators()
	o.addSystemPolicies()
	o.addSystemZones()
	if !options.NoAPIAccessManagement {
		o.addDefaultServer()
	}
	return o
}

// SetBaseURL tells how clients reach the org, when that is known only after it
// has begun to listen.
func (o *Org) SetBaseURL(base string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.options.BaseURL = strings.TrimSuffix(base, "/")
}

// url is where clients find a path of the org.
func (o *Org) url(path string) string { return o.options.BaseURL + path }

// link is how objects point at each other.
func (o *Org) link(path string, allow ...string) map[string]any {
	link := map[string]any{"href": o.url(path)}
	if len(allow) > 0 {
		link["hints"] = map[string]any{"allow": list(allow)}
	}
	return link
}
