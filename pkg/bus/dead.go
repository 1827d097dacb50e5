package bus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Dead tells why a record is on [event.TopicDead]. The record itself is unchanged.
type Dead struct {
	Reason      string // "undecodable", "poison" or "exhausted"
	Error       string // kind, code, field and type of the error; never its text, which may quote a customer
	Attempts    int
	Group       string // who could not handle it
	Topic       string // where it comes from
	Partition   int
	Offset      int64
	FirstFailed time.Time
}

// Filter picks dead letters; a zero field picks all.
type Filter struct {
	ID     string   // of the event
	IDs    []string // of events
	Tenant string
	Reason string
	Group  string
	Topic  string // of origin
	After  time.Time
	Before time.Time // when it died
}

// Match reports whether m is a dead letter that f picks.
func (f Filter) Match(m Message) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return m.Dead != nil && is(f.ID, m.Event.ID) && (len(f.IDs) == 0 || slices.Contains(f.IDs, m.Event.ID)) && is(f.Tenant, m.Event.Tenant) && is(f.Reason, m.Dead.Reason) &&
		is(f.Group, m.Dead.Group) && is(f.Topic, m.Dead.Topic) &&
		(f.After.IsZero() || !m.Time.Before(f.After)) && (f.Before.IsZero() || m.Time.Before(f.Before))
}

const deadPage = 200

// DeadLetters returns up to limit dead letters that f picks, oldest first.
func DeadLetters(ctx context.Context, b Bus, f Filter, limit int) ([]Message, error) {
	ends, err := b.Ends(ctx, event.TopicDead)
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	var out []Message
	for p := range len(ends) {
		if out, err = deadIn(ctx, b, p, f, limit, out); err != nil {
			return nil, fmt.Errorf("dead letters: %w", err)
		}
	}
	return out, nil
}

func deadIn(ctx context.Context, b Bus, partition int, f Filter, limit int, out []Message) ([]Message, error) {
	next := int64(Oldest)
	for len(out) < limit {
		page, err := b.ReadFrom(ctx, event.TopicDead, partition, next, deadPage)
		if err != nil || len(page) == 0 {
			return out, err
		}
		for _, m := range page {
			if f.Match(m) && len(out) < limit {
				out = append(out, m)
			}
		}
		next = page[len(page)-1].Offset + 1
	}
	return out, nil
}

// Redriven is what became of dead letters.
type Redriven struct {
	Published []Message // with dryRun: that would be
	Skipped   []Message // undecodable: they would only die again
}

// Redrive publishes up to limit dead letters that f picks to the topics they come from, with key, event and id unchanged. The
// letters stay where they are: to redrive twice is harmless, because handlers know an event by its id. With dryRun nothing is
// published.
func Redrive(ctx context.Context, b Bus, f Filter, limit int, dryRun bool) (Redriven, error) {
	var r Redriven
	letters, err := DeadLetters(ctx, b, f, limit)
	if err != nil {
		return r, err
	}
	for _, m := range letters {
		if m.Event.ID == "" || m.Event.Type == "" || m.Dead.Topic == "" {
			r.Skipped = append(r.Skipped, m)
			continue
		}
		if !dryRun {
			if err := b.Publish(ctx, event.Record{Topic: m.Dead.Topic, Key: m.Key, Lane: m.Lane, Event: m.Event}); err != nil {
				return r, fmt.Errorf("redrive of %s: %w", m.Event.ID, err)
			}
		}
		r.Published = append(r.Published, m)
	}
	return r, nil
}
