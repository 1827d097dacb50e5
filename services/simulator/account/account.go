// Package account holds the simulated accounts: who they are, what their script says, and the people who write to them.
package account

import (
	"strings"
	"sync/atomic"
)

// Config is what an account is known by. It is replaced as a whole.
type Config struct {
	Type     string // the channel type
	Provider string // of a type that several providers serve, which one it is
	ID       string // the provider's id of the account: a phone_number_id, a bot's username …
	Also     string // another name that people may use for it
	Key      string // what calls without an id are told apart by: a token, an API key; empty: nothing
	Base     string // the path of the provider's API below /simulator/
	Display  string // what people see: a number, a name
	Secrets  map[string]string

	WebhookURL string
	Own        any // what only the provider's own package knows; it is replaced, never changed
}

// Account is one simulated account. It is safe for concurrent use.
type Account struct {
	Tenant string
	People *People

	config atomic.Pointer[Config]
	script atomic.Pointer[Script]
}

func open(tenant string, c Config) *Account {
	a := &Account{Tenant: tenant, People: &People{of: map[string]*Person{}}}
	a.config.Store(&c)
	a.script.Store(&Script{})
	return a
}

// Config is what the account is now; it must not be changed.
func (a *Account) Config() *Config { return a.config.Load() }

// Is reports whether the account is the one that a configuration is for.
func (a *Account) Is(c Config) bool { return a.Config().id() == c.id() }

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

func (c *Config) id() string { return name(c.Type, c.ID) }

func (c *Config) key() string {
	if c.Key == "" {
		return ""
	}
	return c.Base + " " + c.Key
}

func name(typ, id string) string { return typ + " " + strings.ToLower(id) }
