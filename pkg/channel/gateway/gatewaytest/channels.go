package gatewaytest

import (
	"context"
	"sync"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Channels is a directory of channels in memory.
type Channels struct {
	mu  sync.Mutex
	all map[string]channel.Keyed
	err error
}

// NewChannels returns a directory of these channels.
func NewChannels(chs ...channel.Keyed) *Channels {
	c := &Channels{all: map[string]channel.Keyed{}}
	for _, ch := range chs {
		c.all[ch.ID] = ch
	}
	return c
}

// Put adds or changes a channel.
func (c *Channels) Put(ch channel.Keyed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[ch.ID] = ch
}

// Fail lets every look-up fail with err; nil ends that.
func (c *Channels) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// Channel finds a channel by its id.
func (c *Channels) Channel(_ context.Context, id string) (channel.Keyed, error) {
	return c.find(func(ch channel.Keyed) bool { return ch.ID == id })
}

// ByAccount finds a channel by its account.
func (c *Channels) ByAccount(_ context.Context, t event.ChannelType, setting, account string) (channel.Keyed, error) {
	return c.find(func(ch channel.Keyed) bool { return ch.Type == t && ch.Settings.Text(setting) == account })
}

// ByVerifyToken finds a channel by its verify token.
func (c *Channels) ByVerifyToken(_ context.Context, t event.ChannelType, token string) (channel.Keyed, error) {
	return c.find(func(ch channel.Keyed) bool { return ch.Type == t && ch.Secrets.Current("verify_token") == token })
}

// Of lists the enabled channels of a type.
func (c *Channels) Of(_ context.Context, t event.ChannelType) ([]channel.Keyed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []channel.Keyed
	for _, ch := range c.all {
		if ch.Type == t && ch.Enabled {
			out = append(out, ch)
		}
	}
	return out, c.err
}

func (c *Channels) find(ok func(channel.Keyed) bool) (channel.Keyed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return channel.Keyed{}, c.err
	}
	for _, ch := range c.all {
		if ok(ch) {
			return ch, nil
		}
	}
	return channel.Keyed{}, fault.New(fault.Gone, "not_found", "no such channel")
}
