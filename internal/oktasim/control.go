package oktasim

import (
	"encoding/json"
	"net/http"
	"time"
)

// controlPrefix leads the paths of the control API, which no Okta org has.
const controlPrefix = "/_sim/"

// settings is what the control API changes while the org runs; fields that are not
// sent stay as they are.
type settings struct {
	Limits                *Limits        `json:"limits"`
	PrincipalShare        *int           `json:"principalShare"`
	Concurrency           *int           `json:"concurrency"`
	NoAPIAccessManagement *bool          `json:"noAPIAccessManagement"`
	ClientsGetSuperAdmin  *bool          `json:"clientsGetSuperAdmin"`
	Classic               *bool          `json:"classic"`
	Authenticators        *[]string      `json:"authenticators"`
	ListLag               *time.Duration `json:"listLag"`
	GetLag                *time.Duration `json:"getLag"`
	Log                   *LogTrouble    `json:"log"`
}

// serveControl lets another process script the org and look at it. It is open to
// whoever can reach the org: a simulated org has nothing to protect.
func (o *Org) serveControl(w http.ResponseWriter, r *http.Request) {
	operations := map[string]func(*http.Request) (any, error){
		"GET " + controlPrefix + "healthz":    func(*http.Request) (any, error) { return map[string]string{"status": "ok"}, nil },
		"GET " + controlPrefix + "operations": func(*http.Request) (any, error) { return o.Operations(), nil },
		"GET " + controlPrefix + "unknown":    func(*http.Request) (any, error) { return o.Unknown(), nil },
		"GET " + controlPrefix + "state":      func(*http.Request) (any, error) { return o.Snapshot(), nil },
		"POST " + controlPrefix + "faults":    o.controlInject,
		"DELETE " + controlPrefix + "faults": func(*http.Request) (any, error) {
			o.ClearFaults()
			return struct{}{}, nil
		},
		"POST " + controlPrefix + "settings":         o.controlSettings,
		"POST " + controlPrefix + "users":            o.controlUser,
		"PATCH " + controlPrefix + "users":           o.controlChangeUser,
		"DELETE " + controlPrefix + "users":          o.controlDeleteUser,
		"POST " + controlPrefix + "factors/complete": o.controlComplete,
		"POST " + controlPrefix + "factors/code":     o.controlCode,
		"POST " + controlPrefix + "signin":           o.controlSignIn,
		"POST " + controlPrefix + "logs":             o.controlLogs,
		"GET " + controlPrefix + "logledger":         o.controlLedger,
	}
	operation, found := operations[r.Method+" "+r.URL.Path]
	if !found {
		http.NotFound(w, r)
		return
	}
	result, err := operation(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(result))
}

func decodeControl(r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, bodyLimit))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func (o *Org) controlInject(r *http.Request) (any, error) {
	var f Fault
	if err := decodeControl(r, &f); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return struct{}{}, o.faults.Add(f)
}

func (o *Org) controlSignIn(r *http.Request) (any, error) {
	var a Attempt
	if err := decodeControl(r, &a); err != nil {
		return nil, err
	}
	return o.SignIn(a), nil
}

func (o *Org) controlSettings(r *http.Request) (any, error) {
	var wish settings
	if err := decodeControl(r, &wish); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if wish.Limits != nil {
		profile, err := wish.Limits.Profile()
		if err != nil {
			return nil, err
		}
		o.options.Limits = *wish.Limits
		o.limiter.SetProfile(profile)
	}
	if wish.Authenticators != nil {
		if err := o.switchAuthenticators(*wish.Authenticators); err != nil {
			return nil, err
		}
	}
	if wish.PrincipalShare != nil {
		o.options.PrincipalShare = *wish.PrincipalShare
		o.limiter.SetShare(*wish.PrincipalShare)
	}
	set(&o.options.Concurrency, wish.Concurrency)
	set(&o.options.NoAPIAccessManagement, wish.NoAPIAccessManagement)
	set(&o.options.Classic, wish.Classic)
	set(&o.options.ClientsGetSuperAdmin, wish.ClientsGetSuperAdmin)
	set(&o.options.ListLag, wish.ListLag)
	set(&o.options.GetLag, wish.GetLag)
	set(&o.options.Log, wish.Log)
	o.journal.SetTrouble(o.options.Log)
	return struct{}{}, nil
}

func set[T any](field *T, wish *T) {
	if wish != nil {
		*field = *wish
	}
}
