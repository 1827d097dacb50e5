package decide

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// LeaseTime is how long a presence lasts without being renewed, unless the caller says otherwise.
const LeaseTime = 15 * time.Minute

// MaxLease is the longest that a caller may ask for.
const MaxLease = 24 * time.Hour

// unansweredAfter is how long an offer waits for inbox before it is said again.
const unansweredAfter = 10 * time.Second

// Appear sets an agent's presence for a time. The change is a record for the decider (R12); a renewal is none.
func (d *Decider) Appear(ctx context.Context, tenantID, agentID, state, reason string, lease time.Duration) (*Presence, error) {
	at := d.at()
	// The agent's document is made first, so that the decider finds somebody to offer to.
	fresh := func() *Agent { return NewAgent(tenantID, agentID, at) }
	if _, err := d.Agents.Upsert(ctx, agentID, fresh, func(a *Agent) error {
		if a.Rev() != 0 {
			return store.Unchanged
		}
		return nil
	}); err != nil {
		return nil, err
	}
	none := func() *Presence { p := &Presence{State: "offline"}; p.Tenant = tenantID; return p }
	return d.Presences.Upsert(ctx, agentID, none, func(p *Presence) error {
		changed := p.State != state || p.Rev() == 0
		p.Reason, p.LeaseEnds, p.LeaseSeconds = reason, at.Add(lease), int64(lease/time.Second)
		if state == "offline" {
			p.LeaseEnds = event.Time{}
		}
		if changed {
			p.State, p.Since = state, at
			p.Emit(event.TopicRouting, tenantID, Changed(tenantID, agentID, "presence", at))
		}
		return nil
	})
}

// Changed is the record that makes the decider look at an agent again.
func Changed(tenantID, agentID, what string, at event.Time) event.Event {
	return event.New(event.DeriveID("evt", tenantID, agentID, what, at.String()), event.AgentChanged, Source, tenantID, agentID, at,
		event.Agent{AgentID: agentID, Change: what})
}

// Expire ends presences whose lease is over. Every replica may do so at once.
func (d *Decider) Expire(ctx context.Context) error {
	now := d.at()
	over, err := d.Presences.Due(ctx, "lease_ends", now, MaxLease, 200)
	if err != nil {
		return err
	}
	for _, p := range over {
		_, err := d.Presences.Update(ctx, p.ID, func(p *Presence) error {
			if p.LeaseEnds.IsZero() || !p.over(now) {
				return store.Unchanged // renewed meanwhile
			}
			p.State, p.Reason, p.Since, p.LeaseEnds = "offline", "lease over", now, event.Time{}
			p.Emit(event.TopicRouting, p.Tenant, Changed(p.Tenant, p.ID, "presence", now))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Repeat publishes decisions again that inbox has not answered.
func (d *Decider) Repeat(ctx context.Context) error {
	return errors.Join(d.repeatOffers(ctx), d.repeatIntents(ctx))
}

func (d *Decider) repeatOffers(ctx context.Context) error {
	now := d.at()
	late, err := d.Agents.Due(ctx, "offered_since", now.Add(-unansweredAfter), unansweredAfter, 200)
	if err != nil {
		return err
	}
	for _, a := range late {
		_, err := d.Agents.Update(ctx, a.ID, func(a *Agent) error {
			said := false
			for i := range a.Holds {
				h := &a.Holds[i]
				if h.Kind == Offered && h.Decision != nil && unanswered(h.Since, now) {
					h.Since, said = now, true
					a.Emit(event.TopicAssignments, h.Decision.ThreadID, decided(a.Tenant, h.Decision))
				}
			}
			if !said {
				return store.Unchanged
			}
			a.tidy(now)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unanswered reports whether what was published at a time should have had its answer by now.
func unanswered(since, now event.Time) bool {
	return due.Passed(since, now.Add(-unansweredAfter), unansweredAfter)
}

func (d *Decider) repeatIntents(ctx context.Context) error {
	now := d.at()
	late, err := d.Routed.Due(ctx, "intended_since", now.Add(-unansweredAfter), unansweredAfter, 200)
	if err != nil {
		return err
	}
	for _, p := range late {
		_, err := d.Routed.Update(ctx, p.ID, func(p *Routed) error {
			if p.Intent == nil || !unanswered(p.IntendedSince, now) {
				return store.Unchanged
			}
			p.IntendedSince = now
			p.Emit(event.TopicAssignments, p.ThreadID, decided(p.Tenant, p.Intent))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
