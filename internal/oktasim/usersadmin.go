package oktasim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// NewUser is a person as an admin would make one. Only the login is needed.
type NewUser struct {
	Login string `json:"login"`
	// Email is the login unless it is set.
	Email string `json:"email"`
	// FirstName is the login up to the @ unless it is set, LastName is Simulated.
	FirstName   string `json:"firstName"`
	LastName    string `json:"lastName"`
	MobilePhone string `json:"mobilePhone"`
	// Status is ACTIVE unless it is set.
	Status string `json:"status"`
}

func (n NewUser) withDefaults() NewUser {
	short, _, _ := strings.Cut(n.Login, "@")
	for field, standard := range map[*string]string{
		&n.Email: n.Login, &n.FirstName: short, &n.LastName: "Simulated", &n.Status: userActive,
	} {
		if *field == "" {
			*field = standard
		}
	}
	return n
}

// AddUser makes an active user and gives the id. A login that exists gives the id
// of its user.
func (o *Org) AddUser(login string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if u, found := o.findUser(login); found {
		return u.id
	}
	return o.makeUser(NewUser{Login: login}.withDefaults()).id
}

// CreateUser makes a user and gives the id. The login must be new.
func (o *Org) CreateUser(wish NewUser) (string, error) {
	if wish.Login == "" {
		return "", errors.New("creating a user: there is no login")
	}
	wish = wish.withDefaults()
	if !slices.Contains(userStatuses(), wish.Status) {
		return "", fmt.Errorf("creating user %s: there is no status %s", wish.Login, wish.Status)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, found := o.findUser(wish.Login); found {
		return "", fmt.Errorf("creating user %s: the login is taken", wish.Login)
	}
	return o.makeUser(wish).id, nil
}

func (o *Org) makeUser(wish NewUser) *user {
	now := o.clock.Now()
	u := &user{
		meta: o.newMeta("00u", now), login: wish.Login, email: wish.Email, firstName: wish.FirstName, lastName: wish.LastName,
		mobilePhone: wish.MobilePhone, status: wish.Status, changed: now,
	}
	if u.status != userStaged {
		u.activated = now
	}
	o.users.add(u)
	o.logNewUser(u)
	if !u.gone() {
		o.moveEveryone(now)
	}
	return u
}

func (o *Org) adminUser(idOrLogin string) (*user, error) {
	u, found := o.findUser(idOrLogin)
	if !found {
		return nil, fmt.Errorf("finding user %s: there is none", idOrLogin)
	}
	return u, nil
}

// SetUserStatus gives a user, found by id or login, a status of Okta's: STAGED,
// SUSPENDED, DEPROVISIONED. A deprovisioned user leaves all groups for good.
func (o *Org) SetUserStatus(idOrLogin, status string) error {
	if !slices.Contains(userStatuses(), status) {
		return fmt.Errorf("changing user %s: there is no status %s", idOrLogin, status)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	u, err := o.adminUser(idOrLogin)
	if err != nil {
		return err
	}
	o.setStatus(u, status, o.clock.Now())
	return nil
}

// SetUserPhone changes the mobile phone in the profile of a user, found by id or
// login; empty takes it away. A factor keeps the number it was enrolled with.
func (o *Org) SetUserPhone(idOrLogin, phone string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	u, err := o.adminUser(idOrLogin)
	if err != nil {
		return err
	}
	u.mobilePhone = phone
	o.log(o.console(), userProfileUpdated, u)
	u.touch(o.clock.Now())
	return nil
}

// DeleteUser deletes a user, found by id or login, with all memberships and factors.
func (o *Org) DeleteUser(idOrLogin string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	u, err := o.adminUser(idOrLogin)
	if err != nil {
		return err
	}
	o.setStatus(u, userDeprovisioned, o.clock.Now())
	o.log(o.console(), userDeleteStarted, u)
	o.users.remove(u.id)
	o.unassignAll(o.console(), "/api/v1/users/"+u.id)
	o.log(o.console(), userDeleteDone, u)
	return nil
}
