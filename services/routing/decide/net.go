package decide

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
)

// lookEvery is how often an owner compares its memory with the store and looks for work without a record that wakes it.
const lookEvery = 30 * time.Second

// watch is the net under the records that wake the decider: until ctx ends it reads the next conversations that the store
// calls undecided, repairs what memory has missed, and looks. Tests want no repairs.
func (o *owner) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	after := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if after, err = o.inspect(ctx, after); err != nil && ctx.Err() == nil {
			o.Log.WarnContext(ctx, "routing could not look for missed work", "error", err)
		}
	}
}

// inspect compares one slice of the undecided conversations and looks for work in every tenant. It returns where the next one
// goes on.
func (o *owner) inspect(ctx context.Context, after string) (next string, err error) {
	places, next, _, err := o.Routed.Query(ctx, store.Query{Order: "undecided_since", Limit: slice, Cursor: after})
	if err != nil {
		return "", err
	}
	for _, p := range places {
		if mine, err := o.mine(ctx, p.Tenant); err != nil {
			return "", err
		} else if !mine {
			continue
		}
		if err := o.repair(ctx, o.of(p.Tenant), p.ID); err != nil {
			return "", err
		}
	}
	for _, t := range o.all() {
		t.mu.Lock()
		err := o.look(ctx, t)
		t.mu.Unlock()
		if err != nil {
			return "", err
		}
	}
	return next, nil
}

// repair takes over what the store says of a conversation, and counts it if memory did not know that it waits.
func (o *owner) repair(ctx context.Context, t *tenant, id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	place, err := o.place(ctx, id)
	if err != nil || place == nil {
		return err
	}
	before := t.waiting[id]
	if err := o.takeOver(ctx, t, place); err != nil {
		return err
	}
	if t.waiting[id] != nil && (before == nil || before.Epoch < place.Epoch) {
		o.Repairs.Add(ctx, 1)
		o.Log.WarnContext(ctx, "routing had missed a waiting conversation", "conversation", id)
	}
	return nil
}

func (o *owner) all() []*tenant {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]*tenant, 0, len(o.tenants))
	for _, t := range o.tenants {
		out = append(out, t)
	}
	return out
}
