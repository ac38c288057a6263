package oktasim

import (
	"errors"
	"net/http"
)

// The control API of people and their factors.

func (o *Org) controlUser(r *http.Request) (any, error) {
	var wish NewUser
	if err := decodeControl(r, &wish); err != nil {
		return nil, err
	}
	if wish.Login != "" && wish == (NewUser{Login: wish.Login}) {
		return map[string]string{"id": o.AddUser(wish.Login)}, nil
	}
	id, err := o.CreateUser(wish)
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": id}, nil
}

func (o *Org) controlChangeUser(r *http.Request) (any, error) {
	var wish struct {
		User        string  `json:"user"`
		Status      *string `json:"status"`
		MobilePhone *string `json:"mobilePhone"`
	}
	if err := decodeControl(r, &wish); err != nil {
		return nil, err
	}
	if wish.Status == nil && wish.MobilePhone == nil {
		return nil, errors.New("changing a user: there is nothing to change")
	}
	if wish.Status != nil {
		if err := o.SetUserStatus(wish.User, *wish.Status); err != nil {
			return nil, err
		}
	}
	if wish.MobilePhone != nil {
		return struct{}{}, o.SetUserPhone(wish.User, *wish.MobilePhone)
	}
	return struct{}{}, nil
}

func (o *Org) controlDeleteUser(r *http.Request) (any, error) {
	return struct{}{}, o.DeleteUser(r.URL.Query().Get("user"))
}

// controlFactor names a factor; without an id it is the push.
type controlFactor struct {
	User     string `json:"user"`
	FactorID string `json:"factorID"`
}

func (o *Org) controlComplete(r *http.Request) (any, error) {
	var which controlFactor
	if err := decodeControl(r, &which); err != nil {
		return nil, err
	}
	return struct{}{}, o.CompleteFactor(which.User, which.FactorID)
}

// controlCode gives the code of a factor; without an id, that of the last text message.
func (o *Org) controlCode(r *http.Request) (any, error) {
	var which controlFactor
	if err := decodeControl(r, &which); err != nil {
		return nil, err
	}
	code, err := "", error(nil)
	if which.FactorID == "" {
		code, err = o.LastSMSCode(which.User)
	} else {
		code, err = o.FactorCode(which.User, which.FactorID)
	}
	if err != nil {
		return nil, err
	}
	return map[string]string{"code": code}, nil
}
