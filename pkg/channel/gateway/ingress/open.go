package ingress

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maxAssets bounds how many accounts one call may name (Meta groups up to 1,000 updates).
const maxAssets = 1000

// open finds the channels that a call is for and lets pass those whose own secrets prove it. The call is for the channel ch or, where
// there is none, app-level.
func (g *Ingress) open(ctx context.Context, ch *channel.Keyed, in channel.Inbound) (chs []channel.Keyed, dropped map[string]int, err error) {
	if ch != nil {
		return []channel.Keyed{*ch}, nil, g.Adapter.Verify(*ch, in)
	}
	named, err := g.named(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	dropped = map[string]int{}
	for _, ch := range named {
		if g.Adapter.Verify(ch, in) != nil {
			g.metrics.signature(ctx)
			dropped["forged"]++
			continue
		}
		chs = append(chs, ch)
	}
	if len(chs) == 0 {
		_ = g.Adapter.Verify(g.dummy, in) // as long as a real one takes
		return nil, nil, channel.ErrForged
	}
	return chs, dropped, nil
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

// named finds the channels that an app-level call names.
func (g *Ingress) named(ctx context.Context, in channel.Inbound) ([]channel.Keyed, error) {
	if g.Adapter.AppLevel == nil {
		return nil, errUnknown
	}
	if in.Method == http.MethodGet {
		token := in.Query.Get("hub.verify_token")
		if token == "" {
			return nil, nil
		}
		return found(g.Channels.ByVerifyToken(ctx, g.info.Type, token))
	}
	assets := g.Adapter.AppLevel.Assets(in)
	var out []channel.Keyed
	seen := map[string]bool{}
	for _, asset := range assets[:min(len(assets), maxAssets)] {
		for _, setting := range g.info.Account {
			chs, err := found(g.Channels.ByAccount(ctx, g.info.Type, setting, asset))
			if err != nil {
				return nil, err
			}
			for _, ch := range chs {
				if !seen[ch.ID] && ch.Enabled && ch.Type == g.info.Type {
					seen[ch.ID] = true
					out = append(out, ch)
				}
			}
		}
	}
	return out, nil
}

func found(ch channel.Keyed, err error) ([]channel.Keyed, error) {
	if fault.Is(err, fault.Gone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []channel.Keyed{ch}, nil
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
