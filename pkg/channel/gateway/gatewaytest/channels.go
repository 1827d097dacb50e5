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
	mu      sync.Mutex
	all     map[string]channel.Keyed
	unheard map[string]bool // by value: channels that nothing was heard of yet
	guesses int
	err     error
}

// NewChannels returns a directory of these channels.
func NewChannels(chs ...channel.Keyed) *Channels {
	c := &Channels{all: map[string]channel.Keyed{}, unheard: map[string]bool{}}
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

// Delete takes a channel away.
func (c *Channels) Delete(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, id)
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
	c.guess(t, setting, account)
	return c.find(func(ch channel.Keyed) bool { return ch.Type == t && ch.Settings.Text(setting) == account })
}

// BySecret finds a channel by its verify token.
func (c *Channels) BySecret(_ context.Context, t event.ChannelType, token string) (channel.Keyed, error) {
	c.guess(t, "verify_token", token)
	return c.find(func(ch channel.Keyed) bool { return ch.Type == t && ch.Secrets.Current("verify_token") == token })
}

// Heard reports whether a channel has the value, and was not hushed.
func (c *Channels) Heard(t event.ChannelType, setting, value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard(t, setting, value)
}

func (c *Channels) heard(t event.ChannelType, setting, value string) bool {
	for _, ch := range c.all {
		if ch.Type == t && (ch.Settings.Text(setting) == value || ch.Secrets.Current(setting) == value) {
			return !c.unheard[value]
		}
	}
	return false
}

// Hush lets a channel with this value be one that nothing was heard of yet.
func (c *Channels) Hush(value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unheard[value] = true
}

// Guesses tells how many look-ups there were of values that nothing was heard of.
func (c *Channels) Guesses() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.guesses
}

func (c *Channels) guess(t event.ChannelType, setting, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heard(t, setting, value) {
		c.guesses++
	}
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
