package simulator

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
)

// configured is what the simulator reads of the configuration.
type configured interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
	Of(ctx context.Context, t event.ChannelType) ([]channel.Keyed, error)
	Watch(f func(event.Config))
}

// played keeps an account for every channel that names the simulator as its provider, by its setting api_base_url: with the channel's own
// settings and secrets, changed and removed with it. An account that somebody has registered is theirs, whatever channels say.
type played struct {
	from     configured
	types    []event.ChannelType
	accounts *account.Registry
	// read is the account of a channel; ok is false if the channel has another provider.
	read func(ch channel.Keyed) (c account.Config, ok bool)
	log  *slog.Logger

	mu    sync.Mutex
	begun bool                        // the channels that there were have been read
	of    map[string]*account.Account // by the id of the channel

	heard changed
}

// changed are channels to be read again, in the order in which they were heard of.
type changed struct {
	mu   sync.Mutex
	ids  []string
	has  map[string]bool
	more chan struct{} // has room for one
}

func (c *changed) note(ids ...string) {
	c.mu.Lock()
	for _, id := range ids {
		if !c.has[id] {
			c.has[id] = true
			c.ids = append(c.ids, id)
		}
	}
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (c *changed) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := c.ids
	c.ids = nil
	clear(c.has)
	return ids
}

func newPlayed(from configured, types []event.ChannelType, accounts *account.Registry, read func(channel.Keyed) (account.Config, bool), log *slog.Logger) *played {
	p := &played{from: from, types: types, accounts: accounts, read: read, log: log, of: map[string]*account.Account{},
		heard: changed{has: map[string]bool{}, more: make(chan struct{}, 1)}}
	from.Watch(func(c event.Config) {
		if c.Entity == directory.EntityChannel {
			p.heard.note(c.ID)
		}
	})
	return p
}

// settle brings the accounts up to all changes that were heard of before it was called.
func (p *played) settle(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun {
		if err := p.begin(ctx); err != nil {
			return err
		}
		p.begun = true
	}
	ids := p.heard.take()
	for n, id := range ids {
		if err := p.follow(ctx, id); err != nil {
			p.heard.note(ids[n:]...)
			return err
		}
	}
	return nil
}

func (p *played) begin(ctx context.Context) error {
	for _, t := range p.types {
		list, err := p.from.Of(ctx, t)
		if err != nil {
			return err
		}
		for _, ch := range list {
			p.play(ch)
		}
	}
	return nil
}

func (p *played) follow(ctx context.Context, id string) error {
	ch, err := p.from.Channel(ctx, id)
	switch {
	case fault.Is(err, fault.Gone):
		p.drop(id)
	case fault.Of(err) != nil && fault.Of(err).Code == "channel_unreadable": // as it was, until its secrets are set again
	case err != nil:
		return err
	default:
		p.play(ch)
	}
	return nil
}

func (p *played) play(ch channel.Keyed) {
	c, ok := p.read(ch)
	had := p.of[ch.ID]
	if had != nil && (!ok || !had.Is(c)) {
		p.drop(ch.ID)
		had = nil
	}
	if !ok || had == nil && (!ch.Enabled || p.accounts.ByID(c.Type, c.ID) != nil) {
		return
	}
	a, err := p.accounts.Register(ch.Tenant, c)
	if err != nil {
		p.log.Warn("a channel that names the simulator as its provider is not played", "channel", ch.ID, "error", err)
		return
	}
	p.of[ch.ID] = a
}

func (p *played) drop(id string) {
	if a := p.of[id]; a != nil {
		p.accounts.Remove(a)
		delete(p.of, id)
	}
}

// leave is called when somebody has registered an account: no channel changes it any more.
func (p *played) leave(a *account.Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.of, func(_ string, one *account.Account) bool { return one == a })
}

// retry is after how long channels that could not be read are read again.
const retry = time.Second

func (p *played) run(ctx context.Context) error {
	for {
		if err := p.settle(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "the channels to be played could not be read", "error", err)
			if !due.Sleep(ctx, retry) {
				return nil
			}
			continue
		}
		select {
		case <-p.heard.more:
		case <-ctx.Done():
			return nil
		}
	}
}

// configOf is the account of a channel whose provider is the simulator.
func (s *server) configOf(ch channel.Keyed) (account.Config, bool) {
	base, ours := strings.CutPrefix(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), s.publicURL+"/simulator/")
	if !ours {
		return account.Config{}, false
	}
	secrets := map[string]string{}
	for key := range ch.Secrets {
		secrets[key] = ch.Secrets.Current(key)
	}
	c, err := s.config(account.Registration{
		Type: string(ch.Type), Settings: ch.Settings, Secrets: secrets, WebhookURL: channel.WebhookURL(s.publicURL, ch.Type, ch.ID),
	})
	return c, err == nil && c.Base == base
}
