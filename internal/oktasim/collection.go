package oktasim

import (
	"math/rand/v2"
	"time"
)

// meta is what every object of the org has.
type meta struct {
	id      string
	created time.Time
	updated time.Time
	// seq orders objects by creation, and is what a paging cursor remembers.
	seq int
}

func (m *meta) base() *meta { return m }

func (m *meta) touch(now time.Time) { m.updated = now }

type entity interface{ base() *meta }

// collection keeps objects in the order of their creation.
type collection[T entity] struct {
	order []T
	byID  map[string]T
	last  int
}

func (c *collection[T]) add(object T) {
	if c.byID == nil {
		c.byID = map[string]T{}
	}
	c.last++
	object.base().seq = c.last
	c.order = append(c.order, object)
	c.byID[object.base().id] = object
}

func (c *collection[T]) get(id string) (T, bool) {
	object, ok := c.byID[id]
	return object, ok
}

func (c *collection[T]) remove(id string) {
	delete(c.byID, id)
	kept := c.order[:0:0]
	for _, object := range c.order {
		if object.base().id != id {
			kept = append(kept, object)
		}
	}
	c.order = kept
}

// newMeta draws an id of Okta's look: a prefix that tells the kind, and 20 characters.
func (o *Org) newMeta(prefix string, now time.Time) meta {
	return meta{id: o.newID(prefix, idLength), created: now, updated: now}
}

const idLength = 20

func (o *Org) newID(prefix string, length int) string {
	return prefix + randomText(o.random, length-len(prefix))
}

func randomText(random *rand.Rand, length int) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	text := make([]byte, length)
	for i := range text {
		text[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(text)
}

// listed tells whether an object has come through to lists and searches.
func (o *Org) listed(object entity, now time.Time) bool {
	return now.Sub(object.base().created) >= o.options.ListLag
}

// readable tells whether an object has come through to GET.
func (o *Org) readable(object entity, now time.Time) bool {
	return now.Sub(object.base().created) >= o.options.GetLag
}

// stamp writes a time the way Okta does: milliseconds that are always zero.
func stamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05") + ".000Z"
}
