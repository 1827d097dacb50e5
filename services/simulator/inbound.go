package simulator

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// answerTime is how long the caller waits for the gateway's answer to one webhook.
const answerTime = 25 * time.Second

const maxCount = 1_000_000

// inbound is the body of POST /simulator/inbound.
type inbound struct {
	Type    string `json:"type"`
	Account string `json:"account"`
	account.Action
	Count       int `json:"count"`       // how often; 0: once
	Concurrency int `json:"concurrency"` // webhooks at once; 0: 8
	Senders     int `json:"senders"`     // so many people, numbered upwards from the first, take turns; 0: one
}

// told is what became of webhooks.
type told struct {
	Status   int            `json:"status"`          // of the webhook's first try; of many: the last that was not 2xx, else 200
	ID       string         `json:"id"`              // the provider's, of the first
	Peer     string         `json:"peer,omitempty"`  // whom messages and calls name as their recipient when the gateway answers
	Error    string         `json:"error,omitempty"` // why there is no status
	Count    int            `json:"count,omitempty"`
	Statuses map[string]int `json:"statuses,omitempty"` // of many: how often which
	TookMS   int64          `json:"took_ms,omitempty"`
}

func (s *server) inbound(c *gin.Context) {
	in, a, err := s.readInbound(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	if in.Count > 1 {
		out, err := s.many(c.Request.Context(), a, in)
		if err != nil {
			httpapi.Fail(c, err)
			return
		}
		c.JSON(http.StatusOK, out)
		return
	}
	r, id, peer, err := s.tell(c.Request.Context(), a, in.Action)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.JSON(http.StatusOK, told{Status: r.Status, Error: r.Error, ID: id, Peer: peer})
}

func (s *server) readInbound(c *gin.Context) (in inbound, a *account.Account, err error) {
	if err := httpapi.Body(c, &in); err != nil {
		return in, nil, err
	}
	if in.Kind == "" {
		in.Kind = "text"
	}
	switch {
	case in.Type == "":
		return in, nil, fault.At("/type", "required", "want one of %s", s.types())
	case in.From == "":
		return in, nil, fault.At("/from", "required", "say who writes")
	case !slices.Contains(account.Kinds, in.Kind):
		return in, nil, fault.At("/kind", "bad_value", "want one of %s", strings.Join(account.Kinds, ", "))
	case in.Count < 0 || in.Count > maxCount:
		return in, nil, fault.At("/count", "out_of_range", "want 1 to %d", maxCount)
	case in.Concurrency < 0 || in.Concurrency > 256:
		return in, nil, fault.At("/concurrency", "out_of_range", "want 1 to 256")
	case in.Senders < 0 || in.Senders > 1_000_000:
		return in, nil, fault.At("/senders", "out_of_range", "want 1 to 1000000")
	case in.Count > 1 && in.ID != "":
		return in, nil, fault.At("/id", "not_applicable", "many messages cannot have one id")
	}
	a, err = s.account(c, in.Type, in.Account)
	return in, a, err
}

// tell posts one webhook and waits for the answer.
func (s *server) tell(ctx context.Context, a *account.Account, act account.Action) (r webhook.Result, id, peer string, err error) {
	post, id, err := s.providers[a.Config().Type].Inbound(a, act)
	if err != nil || post.Make == nil {
		return webhook.Result{Status: http.StatusOK}, id, "", err
	}
	post.About.Kind, post.About.Message = act.Kind, id
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return s.stage.Deliver(ctx, a, post), id, post.About.Peer, nil
}

// many posts count webhooks, so many at once. The first that cannot be made ends it.
func (s *server) many(ctx context.Context, a *account.Account, in inbound) (told, error) {
	began := time.Now()
	out := told{Status: http.StatusOK, Statuses: map[string]int{}}
	var mu sync.Mutex
	var failed error
	var next atomic.Int64
	var wg sync.WaitGroup
	for range cmp.Or(in.Concurrency, 8) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < in.Count && ctx.Err() == nil && !s.ending(); i = int(next.Add(1)) - 1 {
				r, id, _, err := s.tell(ctx, a, in.nth(i))
				mu.Lock()
				out.add(r, id, i)
				stop := err != nil
				if stop {
					failed = err
				}
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	wg.Wait()
	out.TookMS = time.Since(began).Milliseconds()
	return out, failed
}

func (t *told) add(r webhook.Result, id string, i int) {
	if i == 0 {
		t.ID = id
	}
	if !r.OK() {
		t.Status, t.Error = r.Status, r.Error
	}
	t.Count++
	t.Statuses[strconv.Itoa(r.Status)]++
}

// nth is the i-th of many: another sender, and a text that tells which it is.
func (in inbound) nth(i int) account.Action {
	act := in.Action
	if in.Senders > 1 {
		act.From = number(act.From, i%in.Senders)
	}
	if act.Kind == "text" && act.Text != "" {
		act.Text += " " + strconv.Itoa(i+1)
	}
	return act
}

// number adds n to the digits of a number.
func number(from string, n int) string {
	plus, digits := "", from
	if strings.HasPrefix(from, "+") {
		plus, digits = "+", from[1:]
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return from + strconv.Itoa(n) // a user id
	}
	return plus + strconv.FormatInt(v+int64(n), 10)
}

func (s *server) ending() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// receipt is POST /simulator/receipts.
func (s *server) receipt(c *gin.Context) {
	var in struct {
		Type    string `json:"type"`
		Account string `json:"account"`
		ID      string `json:"id"`
		Status  string `json:"status"`
		Error   int    `json:"error"`
	}
	if err := httpapi.Body(c, &in); err != nil {
		httpapi.Fail(c, err)
		return
	}
	if in.Type == "" && in.Account == "" {
		in.Type = "whatsapp"
	}
	a, err := s.account(c, in.Type, in.Account)
	if err == nil && in.ID == "" {
		err = fault.At("/id", "required", "name the provider's id of the message")
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	post, err := s.providers[a.Config().Type].Receipt(a, in.ID, in.Status, in.Error)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), answerTime)
	defer cancel()
	r := s.stage.Deliver(ctx, a, post)
	c.JSON(http.StatusOK, told{Status: r.Status, Error: r.Error, ID: in.ID})
}
