package source

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// state writes the document that says whether the source of a channel works, for people to see: when that changes and, while it
// works, every [directory.ConnectionSeen]. A store that does not take it changes nothing of the work.
type state struct {
	*Runner
	ch   channel.Keyed
	stop context.CancelFunc // ends what renews the document; nil if nothing does
	over chan struct{}
}

func (r *Runner) state(ch channel.Keyed) *state { return &state{Runner: r, ch: ch} }

// up says that the provider has accepted us, until ctx ends or rest is called.
func (s *state) up(ctx context.Context) {
	s.rest()
	ctx, s.stop = context.WithCancel(ctx)
	s.over = make(chan struct{})
	now := event.At(s.Now())
	go func() {
		defer close(s.over)
		tick := time.NewTicker(directory.ConnectionSeen)
		defer tick.Stop()
		for {
			s.write(ctx, directory.Connection{State: directory.Connected, Since: now})
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

// rest ends the renewal.
func (s *state) rest() {
	if s.stop != nil {
		s.stop()
		<-s.over
		s.stop = nil
	}
}

// down says that the source has ended for so many times in a row, why, and how long it rests.
func (s *state) down(ctx context.Context, err error, tries int, wait time.Duration) {
	s.rest()
	switch {
	case errors.Is(err, context.Canceled): // ours did not end: the lease's did
		err = fault.New(fault.Unavailable, "lease_lost", "the store did not confirm in time that no other process has the connection")
	case err == nil:
		err = fault.New(fault.Unavailable, "connection_ended", "the provider has ended the connection")
	}
	err = provider.Hidden(s.ch, err)
	s.Log.WarnContext(ctx, "source stopped, it will begin again", "channel", s.ch.ID, "error", err, "pause", wait)
	now := s.Now()
	s.write(ctx, directory.Connection{
		State: directory.Failing, Since: event.At(now), Tries: tries, NextAt: event.At(now.Add(wait)), Error: fault.Of(err).Shown(),
	})
}

func (s *state) write(ctx context.Context, c directory.Connection) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_, err := s.states.Upsert(ctx, s.ch.ID, func() *directory.Connection { return &directory.Connection{} }, func(d *directory.Connection) error {
		if d.State == c.State && c.State == directory.Failing {
			c.Since = d.Since
		}
		d.Tenant, d.Version, d.SeenAt = s.ch.Tenant, s.ch.Version, event.At(s.Now())
		d.State, d.Since, d.Tries, d.NextAt, d.Error = c.State, c.Since, c.Tries, c.NextAt, c.Error
		d.ExpiresAt = d.SeenAt.Add(directory.ConnectionKept)
		return nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		s.Log.WarnContext(ctx, "state of a connection not written", "channel", s.ch.ID, "error", err)
	}
}
