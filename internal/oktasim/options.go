package oktasim

import (
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// Limits names the rate limits of the org: a profile and, after a star, a factor.
type Limits = throttle.Limits

// The profiles of rate limits.
const (
	LimitsWorkforce      = throttle.Workforce
	LimitsEnterprise     = throttle.Enterprise
	LimitsIntegratorFree = throttle.IntegratorFree
	LimitsUnlimited      = throttle.Unlimited
)

// Options says what kind of org to simulate. The zero value is a Workforce org
// with API Access Management, without lag.
type Options struct {
	// BaseURL is how clients reach the org, without a trailing slash, for example
	// http://127.0.0.1:1234. Issuers begin with it. SetBaseURL sets it later.
	BaseURL string
	// Clock is the org's time. The default is the real one. A Slow fault waits on
	// it when it can wait (clock.Clock), otherwise on the real one.
	Clock clock.PassiveClock
	// Limits are the requests a minute of each bucket; LimitsWorkforce by default.
	// New panics on a name that does not exist.
	Limits Limits
	// PrincipalShare is the percentage of each bucket one principal may use; 50 by
	// default, as at Okta.
	PrincipalShare int
	// Concurrency is how many requests may be in flight; 75 by default.
	Concurrency int
	// NoAPIAccessManagement simulates an org that has not licensed custom
	// authorization servers: they are answered with 401 E0000015.
	NoAPIAccessManagement bool
	// Classic simulates an org of the Classic Engine, whose pipeline is v1: it has no
	// authenticators API, no app sign-in policies and no device assurances, and asks for
	// them are answered with 401 E0000015. The default is the Identity Engine.
	Classic bool
	// Authenticators are the keys of those that people may enrol in and use, such as
	// okta_verify and phone_number; nil is DefaultAuthenticators. New panics on a key
	// that does not exist.
	Authenticators []string
	// ClientsGetSuperAdmin is the org setting that makes every new API client a
	// super admin, which an operator must refuse to work with.
	ClientsGetSuperAdmin bool
	// ListLag is how long a new object is missing in lists and searches.
	ListLag time.Duration
	// GetLag is how long GET of a new object answers 404.
	GetLag time.Duration
	// Log makes the System Log hard to read.
	Log LogTrouble
	// Seed draws ids and the phases of rate limit windows. Key material and secrets
	// are always random.
	Seed int64
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Limits == "" {
		o.Limits = LimitsWorkforce
	}
	if o.PrincipalShare == 0 {
		o.PrincipalShare = 50
	}
	if o.Concurrency == 0 {
		o.Concurrency = 75
	}
	if o.Authenticators == nil {
		o.Authenticators = DefaultAuthenticators()
	}
	return o
}
