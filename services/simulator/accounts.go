package simulator

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/simulator/account"
)

// described is an account without its secrets.
type described struct {
	Type       string `json:"type"`
	Provider   string `json:"provider,omitempty"`
	ID         string `json:"id"`
	APIBaseURL string `json:"api_base_url"`
	WebhookURL string `json:"webhook_url"`
}

func (s *server) describe(c *account.Config) described {
	return described{Type: c.Type, Provider: c.Provider, ID: c.ID, APIBaseURL: s.publicURL + "/simulator/" + c.Base, WebhookURL: c.WebhookURL}
}

func (s *server) register(c *gin.Context) {
	var in account.Registration
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
		s.played.leave(a)
		c.JSON(http.StatusOK, s.describe(a.Config()))
	}
}

// offered is a type that is played, and what a channel of it can be made with.
type offered struct {
	Type     string            `json:"type"`
	Settings map[string]any    `json:"settings"`
	Secrets  map[string]string `json:"secrets"`
}

// offers lists the types, each with an account that is made up anew.
func (s *server) offers(c *gin.Context) {
	out := []offered{}
	for _, t := range slices.Sorted(maps.Keys(s.providers)) {
		made := s.providers[t].MadeUp()
		conf, err := s.providers[t].Account(made)
		if err != nil {
			httpapi.Fail(c, err)
			return
		}
		made.Settings["api_base_url"] = s.describe(&conf).APIBaseURL
		out = append(out, offered{Type: t, Settings: made.Settings, Secrets: made.Secrets})
	}
	c.JSON(http.StatusOK, gin.H{"data": out})
}

// config reads a registration: a channel's settings and secrets, as the channel has them.
func (s *server) config(in account.Registration) (account.Config, error) {
	p := s.providers[in.Type]
	if p == nil {
		return account.Config{}, fault.At("/type", "bad_value", "want one of %s", s.types())
	}
	c, err := p.Account(in)
	if err != nil {
		return c, err
	}
	if in.WebhookURL != "" && !s.allowed(in.WebhookURL) {
		return c, fault.At("/webhook_url", "bad_value", "webhooks go only to this gateway (%s) or to this machine", s.publicURL)
	}
	c.Secrets, c.WebhookURL = in.Secrets, in.WebhookURL
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
		return nil, fault.At("/type", "bad_value", "want one of %s", s.types())
	}
	a := s.accounts.Find(httpapi.Caller(c).Tenant, typ, name)
	if a == nil {
		return nil, fault.New(fault.Gone, "not_found", "there is no simulated account %q; register it with POST /simulator/accounts", strings.TrimSpace(typ+" "+name))
	}
	return a, nil
}
