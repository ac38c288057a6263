package identity

import (
	"context"
	"time"
)

// People keeps the people who hold roles.
type People interface {
	Members
	Factors
	Enrollments
	AdminRoles
}

// Admission keeps how people get in.
type Admission interface {
	SignIns
	SignOns
	Apps
	Devices
}

// Members keeps who is in the groups of roles.
type Members interface {
	// ObserveMembers tells who is in the role's group, from the snapshot. A group that is
	// not there, or not the role's, has no roster.
	ObserveMembers(ctx context.Context, role Mark, group string) (Roster, error)
	// FindPerson finds a person by the login, whose case does not matter; nil when the
	// directory knows none, or has deactivated them. That is believed for some minutes.
	FindPerson(ctx context.Context, login string) (*Person, error)
	// AddMember puts the person into the role's group; being in it is success. A person
	// who has gone meanwhile is an error of kind Waiting.
	AddMember(ctx context.Context, role Mark, group string, person Person) error
	// RemoveMember takes the person out; being out of it, or gone, is success.
	RemoveMember(ctx context.Context, role Mark, group string, person Person) error
}

// Factors keeps the second factors of people.
type Factors interface {
	// ObserveFactors tells what the person has enrolled, as it was some minutes ago at
	// most, or an hour ago when there was nothing to wait for.
	ObserveFactors(ctx context.Context, person Person) ([]FactorSeen, error)
	// StartFactor starts the enrolment of a kind that is Startable, or starts it again
	// when the person was too late. Links go to the address in the person's profile, and
	// text messages to number, or when that is zero to the one in the profile; a person
	// without a number is an error of kind Rejected with ReasonNoPhoneNumber. The directory
	// believes its profile. A number that is not there is sent a code, and Active when the
	// person has entered it. What was refused is refused again for an hour, without a call.
	StartFactor(ctx context.Context, person Person, kind FactorKind, number Secret) error
}

// Enrollments keeps which second factors the members of a group must have.
type Enrollments interface {
	Unsettled
	// PutEnrollment creates the enrolment policy, or makes it equal, and gives its id. One that
	// a person has switched off stays so, and is an error like that of PutSignIn.
	PutEnrollment(ctx context.Context, enrollment Enrollment) (id string, err error)
	// DeleteEnrollment removes it; gone already is success.
	DeleteEnrollment(ctx context.Context, owner Mark, name string) error
}

// Unsettled is what a directory is whose lists show a moment late what was made.
type Unsettled interface {
	// UnsettledPolicies tells how soon to look again because policies were made of which
	// a process before this one may have made twins, which then show and are removed;
	// zero when none was made lately.
	UnsettledPolicies() time.Duration
}

// SignIns keeps how people sign in. A directory that cannot (an org without Identity
// Engine) answers with an error of kind Rejected and ReasonFeatureUnavailable.
type SignIns interface {
	Unsettled
	// PutSignIn creates the sign-in, or makes it equal, and gives its id. Until all of that is
	// done, every person is asked for what it said before or for what it is to say. It
	// governs no app before GovernApp says so. One that a person has switched off is left
	// alone: its id comes with an error of kind Rejected and ReasonDeactivatedInDirectory.
	PutSignIn(ctx context.Context, signIn SignIn) (id string, err error)
	// FindSignIn gives the id of the owner's sign-in; "" when there is none.
	FindSignIn(ctx context.Context, owner Mark, name string) (id string, err error)
	// DeleteSignIn removes it; gone already is success. It must not govern an app.
	DeleteSignIn(ctx context.Context, owner Mark, name string) error
	// PutPeopleGrant creates the grant, or makes it equal. What is taken away is taken
	// away first.
	PutPeopleGrant(ctx context.Context, grant PeopleGrant) error
	// DeletePeopleGrant removes it; gone already is success.
	DeletePeopleGrant(ctx context.Context, owner Mark, name string) error
	// Governed gives the ids of the apps that the sign-in of that id governs; none when it
	// is gone.
	Governed(ctx context.Context, id string) ([]string, error)
}

// SignOns keeps how people sign in to a directory that asks once for all apps. One that asks
// for each app answers with an error of kind Rejected and ReasonFeatureUnavailable.
type SignOns interface {
	// AsksByApp tells which of the two it is: SignIns are kept where it does, SignOns where
	// it does not. That is believed for an hour.
	AsksByApp(ctx context.Context) (bool, error)
	// PutSignOn creates the sign-on, or makes it equal, as PutSignIn does, and gives its id. A
	// new one stands behind those of others, and counts only once all of it is there. earlier are the names
	// of others that the directory asks before it, for the same groups or for everybody, and
	// that let somebody in; sorted.
	PutSignOn(ctx context.Context, signOn SignOn) (id string, earlier []string, err error)
	// DeleteSignOn removes it; gone already is success.
	DeleteSignOn(ctx context.Context, owner Mark, name string) error
}

// Apps knows the apps that people sign in to.
type Apps interface {
	// GovernApp puts the app under the sign-in of that id.
	GovernApp(ctx context.Context, appID, signInID string) error
	// ReleaseApp puts it under the one it was under before; empty, or one that is gone,
	// stands for the directory's default. An app that is gone is success.
	ReleaseApp(ctx context.Context, appID, previousID string) error
	// FindApps gives the apps with exactly that label.
	FindApps(ctx context.Context, label string) ([]App, error)
	// GetApp gives the app of that id; nil when there is none.
	GetApp(ctx context.Context, id string) (*App, error)
}

// Devices knows where people come from, and with which devices.
type Devices interface {
	// FindZone gives the id of the network zone of that name; "" when there is none.
	FindZone(ctx context.Context, name string) (id string, err error)
	// FindAssurance gives the id of the device assurance of that name; "" when there is
	// none, or one of another platform.
	FindAssurance(ctx context.Context, name, platform string) (id string, err error)
	// PutAssurance creates the assurance, or makes the one of its name equal, and gives
	// its id.
	PutAssurance(ctx context.Context, assurance Assurance) (id string, err error)
	// DeleteAssurances removes those whose names begin with prefix, but for the ids kept.
	// One that is in use is an error of kind Waiting.
	DeleteAssurances(ctx context.Context, prefix string, keep []string) error
}
