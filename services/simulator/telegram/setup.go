package telegram

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// unasked are the updates that come only to bots which name them.
var unasked = []string{"chat_member", "message_reaction", "message_reaction_count"}

func (p *Provider) setWebhook(a *account.Account, f *fields) stage.Answer {
	to, secret := f.text("url"), f.text("secret_token")
	switch {
	case to != "" && !p.Allowed(to):
		return bad("bad webhook: the simulator calls only its own gateway and this machine")
	case len(secret) > 256 || strings.Trim(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return bad("secret token contains unallowed characters")
	}
	updates := own(a.Config()).updates // left out: as before
	f.into("allowed_updates", &updates)
	a.Hook(func(c *account.Config) {
		secrets := map[string]string{}
		for k, v := range c.Secrets {
			secrets[k] = v
		}
		secrets["webhook_secret"] = secret
		c.WebhookURL, c.Secrets, c.Own = to, secrets, ownBot{updates: updates, local: own(c).local}
	})
	out := result(true)
	out.Body.(obj)["description"] = "Webhook was set"
	return out
}

func (p *Provider) webhookInfo(a *account.Account) stage.Answer {
	c := a.Config()
	out := obj{"url": c.WebhookURL, "has_custom_certificate": false, "pending_update_count": p.Hooks.Waiting(c.ID + " "), "max_connections": 40}
	if updates := own(c).updates; updates != nil {
		out["allowed_updates"] = updates
	}
	return result(out)
}

// wants reports whether the bot asked for a kind of update. One that was never set up gets all.
func wants(c *account.Config, kind string) bool {
	switch updates := own(c).updates; {
	case updates == nil:
		return true
	case len(updates) == 0:
		return !slices.Contains(unasked, kind)
	default:
		return slices.Contains(updates, kind)
	}
}
