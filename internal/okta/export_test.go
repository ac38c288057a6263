package okta

import "time"

// Forget drops the snapshot, so that the next observation lists anew; what was
// written within the last minute is remembered on, whatever Okta's lists say.
func (d *Directory) Forget() {
	d.setting.mu.Lock()
	d.setting.known = false
	d.setting.mu.Unlock()
	d.servers.forget()
	d.scopes.forget()
	d.groups.forget()
	d.policies.forget()
	d.clients.forget()
}

func (f *family[T]) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded, f.held = time.Time{}, false
}

// Drop remembers a deletion of the client, as the end of DeleteClient does.
func Drop(d *Directory, clientID string) { d.clients.drop(clientID) }
