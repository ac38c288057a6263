package plugin

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pause is how long is waited before a watch that has ended is begun again.
const pause = time.Second

// seer looks at each state of an object; nil when it does not exist. It says whether that
// is what was waited for.
type seer func(client.Object) (bool, error)

// await shows see each state of one object until that is what was waited for. It tells
// whether the time was over before. list says of which kind the object is.
func (p *plugin) await(
	ctx context.Context, c client.WithWatch, list client.ObjectList, at types.NamespacedName, patience time.Duration, see seer,
) (late bool, err error) {
	timer := p.Clock.NewTimer(patience)
	defer timer.Stop()
	for {
		done, late, err := p.watchOnce(ctx, c, list, at, timer.C(), see)
		if ctx.Err() != nil && !done {
			return false, fmt.Errorf("stopped before it was seen what becomes of %s: what was asked for stands", at)
		}
		if done || late || err != nil {
			return late, err
		}
		select {
		case <-ctx.Done(): // the next look ends it
		case <-timer.C():
			return true, nil
		case <-p.Clock.After(pause):
		}
	}
}

// watchOnce looks at the object, and at each change of it until the watch ends.
func (p *plugin) watchOnce(
	ctx context.Context, c client.WithWatch, list client.ObjectList, at types.NamespacedName, over <-chan time.Time, see seer,
) (done, late bool, err error) {
	only := []client.ListOption{
		client.InNamespace(at.Namespace), client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", at.Name)},
	}
	if done, err := look(ctx, c, list, only, see); done || err != nil {
		return done, false, err
	}
	w, err := c.Watch(ctx, list, append(only, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.GetResourceVersion()}})...)
	if err != nil {
		return false, false, fmt.Errorf("watching %s: %w", at, err)
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, false, ctx.Err()
		case <-over:
			return false, true, nil
		case event, open := <-w.ResultChan():
			if !open || event.Type == watch.Error {
				return false, false, nil // it is begun again with a fresh look
			}
			if done, err := seeEvent(event, at, see); done || err != nil {
				return done, false, err
			}
		}
	}
}

// look shows the object as it is now.
func look(ctx context.Context, c client.Reader, list client.ObjectList, only []client.ListOption, see seer) (bool, error) {
	if err := c.List(ctx, list, only...); err != nil {
		return false, fmt.Errorf("looking for what has become of it: %w", err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return false, err
	}
	if len(items) == 0 {
		return see(nil)
	}
	object, _ := items[0].(client.Object)
	return see(object)
}

func seeEvent(event watch.Event, at types.NamespacedName, see seer) (bool, error) {
	object, ok := event.Object.(client.Object)
	if !ok || event.Type == watch.Bookmark || client.ObjectKeyFromObject(object) != at {
		return false, nil
	}
	if event.Type == watch.Deleted {
		return see(nil)
	}
	return see(object)
}
