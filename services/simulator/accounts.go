package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/simulator/account"
)

// registration is the body of POST /simulator/accounts: a channel's settings and secrets, as the channel has them.
type registration struct {
	Type       string            `json:"type"`
	Settings   map[string]any    `json:"settings"`
	Secrets    map[string]string `json:"secrets"`
	WebhookURL string            `json:"webhook_url"`
}

// described is an account without its secrets.
type described struct {
	Type       string `json:"type"`
	Provider   string `json:"provider,omitempty"`
	ID         string `json:"id"`
	APIBaseURL string `json:"api_base_url"`
	WebhookURL string `json:"webhook_url"`
}

func (s *server) describe(c *account.Config) described {
	base := s.publicURL + "/simulator/" + c.Type
	if c.Dialog() {
		base = s.publicURL + "/simulator/360dialog"
	}
	return described{Type: c.Type, Provider: c.Provider, ID: c.ID, APIBaseURL: base, WebhookURL: c.WebhookURL}
}

func (s *server) register(c *gin.Context) {
	var in registration
	if err := httpapi.Body(c, &in); err != nil {
		httpapi.Fail(c, err)
		return
	}
	conf, err := s.config(in)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	a, err := s.accounts.Register(httpapi.Caller(c).Tenant, conf)
	switch {
	case errors.Is(err, account.ErrClaimed):
		httpapi.Fail(c, fault.New(fault.Conflict, "account_claimed", "another tenant has this account, or its key or token"))
	case err != nil:
		httpapi.Fail(c, fault.New(fault.Throttled, "overloaded", "there are too many accounts: at most %d", account.MaxAccounts))
	default:
		c.JSON(http.StatusOK, s.describe(a.Config()))
	}
}

// config reads a registration. Numbers stand for texts in settings, as people write them.
func (s *server) config(in registration) (account.Config, error) {
	text := func(key string) string {
		if v := in.Settings[key]; v != nil {
			return fmt.Sprint(v)
		}
		return ""
	}
	c := account.Config{Type: in.Type, Secrets: in.Secrets, WebhookURL: in.WebhookURL}
	var needs []string
	switch in.Type {
	case "whatsapp":
		c.Provider, c.ID, c.WABA = cmp.Or(text("provider"), "cloud"), text("phone_number_id"), cmp.Or(text("waba_id"), "0")
		c.Display = cmp.Or(text("display_phone_number"), "15550102233")
		if needs = []string{"app_secret", "access_token"}; c.Dialog() {
			needs = []string{"api_key", "webhook_secret"}
		}
		if c.Provider != "cloud" && !c.Dialog() {
			return c, fault.At("/settings/provider", "bad_value", "want cloud or 360dialog")
		}
		if c.ID == "" || strings.Trim(c.ID, "0123456789") != "" {
			return c, fault.At("/settings/phone_number_id", "bad_format", "want the digits of a phone number id")
		}
	case "telegram":
		c.ID = strings.TrimPrefix(text("bot_username"), "@")
		c.Display = cmp.Or(text("bot_name"), c.ID)
		needs = []string{"bot_token"}
		if c.ID == "" {
			return c, fault.At("/settings/bot_username", "required", "name the bot")
		}
	default:
		return c, fault.At("/type", "bad_value", "want whatsapp or telegram")
	}
	for _, key := range needs {
		if in.Secrets[key] == "" {
			return c, fault.At("/secrets/"+key, "required", "the simulated provider needs the same secrets as the channel")
		}
	}
	if in.WebhookURL != "" && !s.allowed(in.WebhookURL) {
		return c, fault.At("/webhook_url", "bad_value", "webhooks go only to this gateway (%s) or to this machine", s.publicURL)
	}
	return c, nil
}

func (s *server) list(c *gin.Context) {
	out := []described{}
	for _, a := range s.accounts.Of(httpapi.Caller(c).Tenant, "") {
		out = append(out, s.describe(a.Config()))
	}
	c.JSON(http.StatusOK, gin.H{"data": out})
}

// account finds the caller's account that a request names.
func (s *server) account(c *gin.Context, typ, name string) (*account.Account, error) {
	if typ != "" && s.providers[typ] == nil {
		return nil, fault.At("/type", "bad_value", "want whatsapp or telegram")
	}
	a := s.accounts.Find(httpapi.Caller(c).Tenant, typ, name)
	if a == nil {
		return nil, fault.New(fault.Gone, "not_found", "there is no simulated account %q; register it with POST /simulator/accounts", strings.TrimSpace(typ+" "+name))
	}
	return a, nil
}
