package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
)

const (
	defaultEntries = 1000
	maxEntries     = 20_000
)

// play is PUT /simulator/script: the script of one account or, without one, of all that there are. It replaces the old one,
// and begins to count anew.
func (s *server) play(c *gin.Context) {
	var in struct {
		Type    string `json:"type"`
		Account string `json:"account"`
		account.Script
	}
	raw, err := httpapi.Raw(c)
	if err == nil {
		err = httpapi.Decode(raw, &in)
	}
	if err == nil {
		err = in.Check()
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	list := s.accounts.Of(httpapi.Caller(c).Tenant, in.Type)
	if in.Account != "" {
		a, err := s.account(c, in.Type, in.Account)
		if err != nil {
			httpapi.Fail(c, err)
			return
		}
		list = []*account.Account{a}
	}
	if len(list) == 0 {
		httpapi.Fail(c, fault.New(fault.Gone, "not_found", "there is no simulated account; register one with POST /simulator/accounts"))
		return
	}
	for _, a := range list { // each counts for itself
		one := &account.Script{}
		if err := json.Unmarshal(raw, one); err != nil {
			httpapi.Fail(c, fault.New(fault.Invalid, "bad_json", "the script could not be read"))
			return
		}
		_ = one.Check() // as before
		a.Play(one)
	}
	c.JSON(http.StatusOK, gin.H{"accounts": len(list)})
}

func (s *server) script(c *gin.Context) {
	a, err := s.account(c, c.Query("type"), c.Query("account"))
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.JSON(http.StatusOK, a.Script())
}

// filter reads ?type, account, to, client_ref, after, newest and limit.
func (s *server) filter(c *gin.Context) (f ledger.Filter, err error) {
	tenant, typ, name := httpapi.Caller(c).Tenant, c.Query("type"), c.Query("account")
	f = ledger.Filter{To: c.Query("to"), Ref: c.Query("client_ref"), Limit: defaultEntries, Newest: c.Query("newest") == "true"}
	f.Of = func(a *account.Account) bool { return a.Tenant == tenant && (typ == "" || a.Config().Type == typ) }
	if name != "" {
		one, err := s.account(c, typ, name)
		if err != nil {
			return f, err
		}
		f.Of = func(a *account.Account) bool { return a == one }
	}
	if v := c.Query("after"); v != "" {
		if f.Seq, err = strconv.ParseInt(v, 10, 64); err != nil {
			return f, fault.At("/after", "bad_format", "want the seq of the last entry that you have")
		}
	}
	if v := c.Query("limit"); v != "" {
		if f.Limit, err = strconv.Atoi(v); err != nil || f.Limit < 0 || f.Limit > maxEntries {
			return f, fault.At("/limit", "out_of_range", "want 0 to %d", maxEntries)
		}
	}
	return f, nil
}

func (s *server) messages(c *gin.Context) {
	f, err := s.filter(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	data, accepted, last := s.stage.Ledger.Messages(f)
	c.JSON(http.StatusOK, gin.H{"data": data, "accepted": accepted, "last": last, "has_more": len(data) == f.Limit})
}

func (s *server) calls(c *gin.Context) {
	f, err := s.filter(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	data, last := s.stage.Ledger.Calls(f)
	c.JSON(http.StatusOK, gin.H{"data": data, "last": last, "has_more": len(data) == f.Limit})
}

func (s *server) hooks(c *gin.Context) {
	f, err := s.filter(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	data, last := s.stage.Ledger.Hooks(f)
	c.JSON(http.StatusOK, gin.H{"data": data, "last": last, "has_more": len(data) == f.Limit})
}

func (s *server) clear(c *gin.Context) {
	f, err := s.filter(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.stage.Ledger.Clear(f.Of)
	c.Status(http.StatusNoContent)
}

func (s *server) webhooks(c *gin.Context) { c.JSON(http.StatusOK, s.stage.Hooks.Stats()) }
