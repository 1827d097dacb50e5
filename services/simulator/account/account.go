// Package account holds the simulated accounts: who they are, what their script says, and the people who write to them.
package account

import (
	"strings"
	"sync/atomic"
	"time"
)

// Config is what an account is known by. It is replaced as a whole.
type Config struct {
	Type     string // whatsapp or telegram
	Provider string // of WhatsApp: cloud or 360dialog
	ID       string // the phone_number_id, or the bot's username
	WABA     string
	Display  string // the number as people see it, or the bot's name
	Secrets  map[string]string

	WebhookURL    string
	WebhookHeader map[string]string // 360dialog: sent with every webhook
	Updates       []string          // Telegram: the kinds of update that were asked for; nil means all
}

// Account is one simulated account. It is safe for concurrent use.
type Account struct {
	Tenant string
	People *People

	config atomic.Pointer[Config]
	script atomic.Pointer[Script]
	update atomic.Int64 // the number of Telegram's latest update
}

func open(tenant string, c Config, now time.Time) *Account {
	a := &Account{Tenant: tenant, People: &People{of: map[string]*Person{}}}
	a.config.Store(&c)
	a.script.Store(&Script{})
	a.update.Store(now.UnixMilli())
	return a
}

// Config is what the account is now; it must not be changed.
func (a *Account) Config() *Config { return a.config.Load() }

// Script is what the account plays now.
func (a *Account) Script() *Script { return a.script.Load() }

// Play replaces the script.
func (a *Account) Play(s *Script) { a.script.Store(s) }

// Hook replaces where webhooks go.
func (a *Account) Hook(change func(*Config)) {
	for {
		old := a.config.Load()
		c := *old
		change(&c)
		if a.config.CompareAndSwap(old, &c) {
			return
		}
	}
}

// NextUpdate numbers an update.
func (a *Account) NextUpdate() int64 { return a.update.Add(1) }

// Dialog reports whether 360dialog serves the number.
func (c *Config) Dialog() bool { return c.Provider == "360dialog" }

// Bot is the id in a bot's token.
func (c *Config) Bot() string {
	id, _, _ := strings.Cut(c.Secrets["bot_token"], ":")
	return id
}

// key is what the account's provider finds it by, besides its id.
func (c *Config) key() string {
	switch {
	case c.Type == "telegram":
		return "token " + c.Secrets["bot_token"]
	case c.Dialog():
		return "key " + c.Secrets["api_key"]
	}
	return ""
}

func (c *Config) id() string { return c.Type + " " + strings.ToLower(c.ID) }
