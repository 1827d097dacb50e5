package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// Link is a conversation of a chain, as small as docs/models/facts.pml has it.
type Link struct {
	store.Meta
	Nth    int   `json:"nth"`
	Closed bool  `json:"closed,omitempty"`
	Next   bool  `json:"next,omitempty"`
	Seq    int64 `json:"seq"`
	Anchor int   `json:"anchor,omitempty"` // the last inbound
}

// linkFact is the payload of a link's facts.
type linkFact struct {
	Nth    int    `json:"nth"`
	Seq    int64  `json:"seq"`
	Kind   string `json:"kind"` // opened, closed, reopened, followed, message
	Ref    int    `json:"ref,omitempty"`
	Anchor int    `json:"anchor,omitempty"`
}

var (
	links    = store.Spec{Name: "links", Facts: true}
	messages = store.Spec{Name: "messages"}
)

// chain is one process at work on one thread.
type chain struct {
	*store.Applier
	thread string
	links  *store.Collection[Link]
	notes  *store.Collection[note]
}

func newChain(thread string, db store.DB, p store.Publisher) *chain {
	c := &chain{Applier: store.NewApplier(db, p, nil), thread: thread, notes: store.NewCollection[note](db, messages)}
	c.links = store.NewCollection[Link](db, links, store.Facts(c.Applier), store.Records(c.records))
	return c
}

func (c *chain) link(nth int) string    { return c.thread + ".c" + strconv.Itoa(nth) }
func (c *chain) message(ref int) string { return c.thread + ".m" + strconv.Itoa(ref) }

func (c *chain) records(f store.Fact) ([]store.Implied, error) {
	var e linkFact
	if err := json.Unmarshal(f.Event.Data, &e); err != nil {
		return nil, err
	}
	switch e.Kind {
	case "message":
		id := c.message(e.Ref)
		return []store.Implied{{Collection: messages.Name, ID: id, JSON: json.RawMessage(fmt.Sprintf(`{"_id":%q,"n":%d}`, id, e.Seq))}}, nil
	case "followed":
		record, err := c.links.Imply(traceparent.With(context.Background(), f.Trace), c.first(e.Nth+1, e.Anchor))
		record.InOrder = true
		return []store.Implied{record}, err
	}
	return nil, nil
}

func (c *chain) first(nth, anchor int) *Link {
	l := &Link{Meta: store.Meta{ID: c.link(nth)}, Nth: nth, Anchor: anchor}
	c.emit(l, "opened", 0)
	return l
}

// emit tells a fact on two topics: what agents see, and what only a copier follows.
func (c *chain) emit(l *Link, kind string, ref int) {
	l.Seq++
	id := fmt.Sprintf("%s.%d", l.ID, l.Seq)
	b, err := json.Marshal(linkFact{Nth: l.Nth, Seq: l.Seq, Kind: kind, Ref: ref, Anchor: l.Anchor})
	if err != nil {
		panic(err)
	}
	l.Emit("seen", c.thread, event.Event{ID: id, Data: b})
	l.Emit("copied", c.thread, event.Event{ID: id, Data: b})
}

// exists asks for the message by id, then among what is pending.
func (c *chain) exists(ctx context.Context, l *Link, ref int) (bool, error) {
	for _, f := range l.Pending {
		var e linkFact
		if err := json.Unmarshal(f.Event.Data, &e); err != nil || e.Ref == ref && e.Kind == "message" {
			return true, err
		}
	}
	_, err := c.notes.Get(ctx, c.message(ref))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

var errOnward = errors.New("the thread goes on in the next conversation")

// last calls change on the last conversation of the chain, opening the first one if there is none.
func (c *chain) last(ctx context.Context, change func(*Link) error) error {
	for nth := 1; ; {
		_, err := c.links.Update(ctx, c.link(nth), func(l *Link) error {
			if l.Next {
				return errOnward
			}
			return change(l)
		})
		switch {
		case errors.Is(err, errOnward):
			if _, err := c.links.Get(ctx, c.link(nth+1)); errors.Is(err, store.ErrNotFound) {
				if err := c.links.Apply(ctx, c.link(nth)); err != nil {
					return err
				}
			} else if err != nil {
				return err
			}
			nth++
		case errors.Is(err, store.ErrNotFound):
			if err := c.links.Insert(ctx, c.first(1, 0)); err != nil && !errors.Is(err, store.ErrExists) {
				return err
			}
		default:
			return err
		}
	}
}

// receive takes an inbound message: appended, or the closed conversation reopened or followed by a new one.
func (c *chain) receive(ctx context.Context, ref int, reopen bool) error {
	for {
		err := c.last(ctx, func(l *Link) error {
			found, err := c.exists(ctx, l, ref)
			switch {
			case err != nil:
				return err
			case found:
				return store.Unchanged
			case l.Closed && !reopen:
				c.follow(l)
				return nil
			case l.Closed:
				l.Closed = false
				c.emit(l, "reopened", 0)
			}
			l.Anchor = ref
			c.emit(l, "message", ref)
			return nil
		})
		if err != nil {
			return err
		}
		if found, err := c.arrived(ctx, ref); found || err != nil {
			return err
		}
	}
}

// arrived tells whether the message is in anywhere: following a conversation does not yet take the message.
func (c *chain) arrived(ctx context.Context, ref int) (found bool, err error) {
	err = c.last(ctx, func(l *Link) error {
		if found, err = c.exists(ctx, l, ref); err != nil {
			return err
		}
		return store.Unchanged
	})
	return found, err
}

func (c *chain) follow(l *Link) {
	l.Next = true
	c.emit(l, "followed", 0)
}

// post opens the next conversation without a message.
func (c *chain) post(ctx context.Context) error {
	return c.last(ctx, func(l *Link) error {
		if !l.Closed {
			return store.Unchanged
		}
		c.follow(l)
		return nil
	})
}

func (c *chain) close(ctx context.Context) error {
	return c.last(ctx, func(l *Link) error {
		if l.Closed {
			return store.Unchanged
		}
		l.Closed = true
		c.emit(l, "closed", 0)
		return nil
	})
}
