package telegram

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
)

const typeName = "telegram"

// ownBot is what belongs to a bot only.
type ownBot struct {
	updates []string // the kinds of update that were asked for; nil means all
	local   bool     // it is at a Bot API server in local mode
}

// largest is how many bytes a file may have that the bot uploads. A server in local mode takes 2000 MB, the simulator what it has memory for.
func (b ownBot) largest() int {
	if b.local {
		return media.Budget / 2
	}
	return maxFile
}

func own(c *account.Config) ownBot {
	b, _ := c.Own.(ownBot)
	return b
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

// Account reads a bot's registration.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	name, token := strings.TrimPrefix(in.Text("bot_username"), "@"), in.Secrets["bot_token"]
	number, _, _ := strings.Cut(token, ":")
	c := account.Config{
		Type: typeName, ID: name, Also: number, Key: token, Base: typeName, Display: cmp.Or(in.Text("bot_name"), name), Own: ownBot{local: in.Text("server") == "local"},
	}
	if name == "" {
		return c, fault.At("/settings/bot_username", "required", "name the bot")
	}
	return c, in.Need("bot_token")
}

// MadeUp implements the simulator's provider.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type: typeName, Settings: map[string]any{"bot_username": "simulated_" + account.Hex(4) + "_bot"},
		Secrets: map[string]string{"bot_token": account.Digits() + ":" + account.Hex(17), "webhook_secret": account.Hex(16)},
	}
}

// nextUpdate numbers an update. The numbers go on from the clock, so that a process that was started again gives none twice.
func (p *Provider) nextUpdate() int64 {
	p.updates.CompareAndSwap(0, p.Now().UnixMilli())
	return p.updates.Add(1)
}
