package ingress

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maxUnheard bounds how many names that nothing was heard of one call may have looked up before a channel proves it.
const maxUnheard = 16

// open finds the channels that a call is for and lets pass those whose own secrets prove it. The call is for the channel ch or, where
// there is none, app-level.
func (g *Ingress) open(ctx context.Context, ch *channel.Keyed, in channel.Inbound) (chs []channel.Keyed, dropped map[string]int, err error) {
	if ch != nil {
		return []channel.Keyed{*ch}, nil, g.Adapter.Verify(*ch, in)
	}
	if g.Adapter.AppLevel == nil {
		return nil, nil, errUnknown
	}
	s := search{Ingress: g, in: in, seen: map[string]bool{}, dropped: map[string]int{}}
	if err := s.all(ctx, g.Adapter.AppLevel.Named(in)); err != nil {
		return nil, nil, err
	}
	if len(s.proved) == 0 {
		_ = g.Adapter.Verify(g.dummy, in) // as long as a real one takes
		return nil, nil, channel.ErrForged
	}
	return s.proved, s.dropped, nil
}

// beside returns the channels of a call to the URL of ch: that one, which has proved it, and those of the other accounts that the call names.
// The URL gives no right to them: each is proved by its own secret, and what belongs to another app is no forgery.
func (g *Ingress) beside(ctx context.Context, ch channel.Keyed, in channel.Inbound) ([]channel.Keyed, error) {
	if g.Adapter.AppLevel == nil {
		return []channel.Keyed{ch}, nil
	}
	s := search{Ingress: g, in: in, seen: map[string]bool{ch.ID: true}, proved: []channel.Keyed{ch}}
	err := s.all(ctx, g.Adapter.AppLevel.Named(in))
	return s.proved, err
}

// search looks for the channels that a call names.
type search struct {
	*Ingress
	in      channel.Inbound
	seen    map[string]bool // channels, by id
	proved  []channel.Keyed // those whose secrets prove the call
	dropped map[string]int  // counts forgeries; nil: what is not proved is none
}

// all tries every name. Those of channels that exist come first, so that names that somebody made up keep none of them from being
// found, wherever they stand. Of the others few are looked up until something proves the call.
func (s *search) all(ctx context.Context, names []channel.Lookup) error {
	var unheard []channel.Lookup
	for _, l := range names[:min(len(names), channel.MaxNamed)] {
		if !s.Channels.Heard(s.info.Type, l.Setting, l.Value) {
			unheard = append(unheard, l)
		} else if err := s.try(ctx, l); err != nil {
			return err
		}
	}
	for n, l := range unheard {
		if n == maxUnheard && len(s.proved) == 0 {
			return nil
		}
		if err := s.try(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// try verifies the call for the channel that a name leads to, if there is one.
func (s *search) try(ctx context.Context, l channel.Lookup) error {
	ch, err := s.find(ctx, l)
	if err != nil {
		return unlessGone(err)
	}
	if s.seen[ch.ID] || !ch.Enabled || ch.Type != s.info.Type {
		return nil
	}
	s.seen[ch.ID] = true
	if s.Adapter.Verify(ch, s.in) == nil {
		s.proved = append(s.proved, ch)
	} else if s.dropped != nil {
		s.metrics.signature(ctx)
		s.dropped["forged"]++
	}
	return nil
}

func unlessGone(err error) error {
	if fault.Is(err, fault.Gone) {
		return nil
	}
	return err
}

func (s *search) find(ctx context.Context, l channel.Lookup) (channel.Keyed, error) {
	if l.Setting == s.info.NamingSecret() {
		return s.Channels.BySecret(ctx, s.info.Type, l.Value)
	}
	return s.Channels.ByAccount(ctx, s.info.Type, l.Setting, l.Value)
}

// channel returns the enabled channel of our type with that id; there is no other.
func (g *Ingress) channel(ctx context.Context, id string) (channel.Keyed, error) {
	ch, err := g.Channels.Channel(ctx, id)
	switch {
	case fault.Is(err, fault.Gone), err == nil && (ch.Type != g.info.Type || !ch.Enabled):
		return ch, errUnknown
	case err != nil:
		return ch, fmt.Errorf("channel %s: %w", id, err)
	}
	return ch, nil
}

// stranger is a channel that nobody has: its secrets are random.
func stranger(info channel.Info) channel.Keyed {
	ch := channel.Keyed{Channel: channel.Channel{ID: "ch_0", Tenant: "none", Type: info.Type, Settings: channel.Settings{}}, Secrets: channel.Secrets{}}
	for _, f := range info.Settings {
		switch {
		case f.Secret:
			ch.Secrets[f.Key] = []string{random()}
		case len(f.OneOf) > 0:
			ch.Settings[f.Key] = f.OneOf[0]
		default:
			ch.Settings[f.Key] = event.Hash(f.Key)
		}
	}
	return ch
}
