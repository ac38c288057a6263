package throttle

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newLimiter(profile Profile, share int) *Limiter {
	return NewLimiter(profile, share, rand.New(rand.NewPCG(1, 2)))
}

func TestPrincipalShareEndsBeforeTheBucket(t *testing.T) {
	l := newLimiter(Profile{Apps: 5}, 50)
	now := time.Unix(1_800_000_000, 0)
	var got []bool
	for _, principal := range []string{"a", "a", "a", "b", "b", "b", "c", "c"} {
		got = append(got, l.Take(Apps, principal, now).Allowed)
	}
	want := []bool{true, true, false, true, true, false, true, false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("half of 5 is 2 for each principal, and 5 for all (-want +got):\n%s", diff)
	}
}

func TestRefusedRequestsAreNotCounted(t *testing.T) {
	l := newLimiter(Profile{Apps: 2}, 100)
	now := time.Unix(1_800_000_000, 0)
	for range 10 {
		l.Take(Apps, "a", now)
	}
	verdict := l.Take(Apps, "b", now)
	if verdict.Allowed || verdict.Remaining != 0 || verdict.Limit != 2 {
		t.Errorf("a full bucket must refuse with nothing remaining, got %+v", verdict)
	}
}

func TestWindowsStartAnewAtTheToldReset(t *testing.T) {
	l := newLimiter(Profile{Apps: 2, Group: 2}, 50)
	now := time.Unix(1_800_000_000, 0)
	first := l.Take(Apps, "a", now)
	if !first.Reset.After(now) || first.Reset.Sub(now) > Window {
		t.Fatalf("the reset must be within a window from now, got %v", first.Reset.Sub(now))
	}
	if verdict := l.Take(Apps, "a", first.Reset.Add(-time.Nanosecond)); verdict.Allowed {
		t.Error("the window lasts until the reset")
	}
	if verdict := l.Take(Apps, "a", first.Reset); !verdict.Allowed || verdict.Remaining != 1 {
		t.Errorf("the window must start anew at the reset, got %+v", verdict)
	}
}

func TestWindowsOfBucketsHavePhasesOfTheirOwn(t *testing.T) {
	l := newLimiter(Profile{}, 50)
	now := time.Unix(1_800_000_000, 0)
	resets := map[time.Time]bool{}
	for _, bucket := range Buckets() {
		resets[l.Take(bucket, "a", now).Reset] = true
	}
	if len(resets) < 3 {
		t.Errorf("all buckets reset together: a client could learn a rule that Okta does not keep")
	}
}

func TestProfile(t *testing.T) {
	tests := map[string]struct {
		reason string
		limits Limits
		bucket Bucket
		want   int
		broken bool
	}{
		"workforce":   {reason: "the default", limits: Workforce, bucket: Apps, want: 100},
		"scaled":      {reason: "factors multiply", limits: Workforce.Scaled(60), bucket: Apps, want: 6000},
		"twice":       {reason: "scaling can be repeated", limits: Enterprise.Scaled(2).Scaled(3), bucket: App, want: 3600},
		"unlimited":   {reason: "no bucket is known", limits: Unlimited.Scaled(2), bucket: Apps, want: unlimited},
		"unknown":     {reason: "a misspelt flag must not mean unlimited", limits: "wrokforce", broken: true},
		"bad factor":  {reason: "a factor is a number", limits: "workforce*x", broken: true},
		"zero factor": {reason: "nothing would ever be allowed", limits: Workforce.Scaled(0), broken: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			profile, err := test.limits.Profile()
			if (err != nil) != test.broken {
				t.Fatalf("%s: got error %v", test.reason, err)
			}
			if err == nil && profile.Limit(test.bucket) != test.want {
				t.Errorf("%s: got %d, want %d", test.reason, profile.Limit(test.bucket), test.want)
			}
		})
	}
}
