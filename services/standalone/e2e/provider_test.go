package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// provider plays WhatsApp's Cloud API outside of the platform: it remembers what it took, whatever is killed. Its accounts share
// one URL and are told apart by their recipients.
type provider struct {
	url string

	mu       sync.Mutex
	accounts map[string]*account // by the first digits of recipients
}

// newProvider starts a provider that ends with the test.
func newProvider(t *testing.T) *provider {
	p := &provider{accounts: map[string]*account{}}
	s := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

const prefixLen = 7 // digits of a recipient that name the account

var accountsMade atomic.Int64

// account is one number at the provider, with people of its own.
type account struct {
	prefix string

	mu       sync.Mutex
	refuse   int            // so many calls are refused first, as over the rate
	cut      int            // of so many messages the answer is lost: taken, and the connection closed
	delay    time.Duration  // before every answer
	taken    map[string]int // messages by text
	calls    int
	inFlight int
	most     int // calls at once
	ids      int

	hook    func(body string) int // posts a signed webhook
	ctx     context.Context
	stop    func()
	telling sync.WaitGroup
	told    atomic.Int64 // receipts that were acknowledged
}

// open makes an account whose first calls are refused. Its receipts go to hook, again and again until they are acknowledged.
func (p *provider) open(t *testing.T, refuse int) *account {
	a := &account{prefix: fmt.Sprintf("4915%03d", accountsMade.Add(1)), refuse: refuse, taken: map[string]int{}}
	a.ctx, a.stop = context.WithCancel(context.Background())
	p.mu.Lock()
	p.accounts[a.prefix] = a
	p.mu.Unlock()
	t.Cleanup(func() { a.stop(); a.telling.Wait() })
	return a
}

func (a *account) peer(i int) string { return fmt.Sprintf("%s%06d", a.prefix, i) }

func (a *account) write(t *test, peer, id, text string) int { return t.post(peer, id, text) }

func (a *account) receipts() int { return int(a.told.Load()) }

func (a *account) tells() bool { return true }

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Status string `json:"status"` // read, typing: a signal
		To     string `json:"to"`
		Ref    string `json:"biz_opaque_callback_data"`
		Text   struct {
			Body string `json:"body"`
		} `json:"text"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if in.Status != "" {
		_, _ = fmt.Fprint(w, `{"success":true}`)
		return
	}
	in.To = strings.TrimPrefix(in.To, "+")
	p.mu.Lock()
	a := p.accounts[in.To[:min(len(in.To), prefixLen)]]
	p.mu.Unlock()
	if a == nil || !strings.HasSuffix(r.URL.Path, "/messages") {
		http.Error(w, `{"error":{"code":100,"message":"Nobody here is called that"}}`, http.StatusBadRequest)
		return
	}
	status, body := a.take(in.To, in.Text.Body, in.Ref)
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, body)
}

// take decides about one message; status 0 cuts the connection.
func (a *account) take(to, text, ref string) (status int, body string) {
	a.mu.Lock()
	a.calls++
	a.inFlight++
	a.most = max(a.most, a.inFlight)
	delay := a.delay
	a.mu.Unlock()
	time.Sleep(delay)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inFlight--
	if a.refuse > 0 {
		a.refuse--
		return http.StatusTooManyRequests, `{"error":{"code":130429,"message":"Rate limit hit"}}`
	}
	a.taken[text]++
	a.ids++
	id := fmt.Sprintf("wamid.out.%s.%d", a.prefix, a.ids)
	a.telling.Go(func() { a.tell(id, to, ref) })
	if a.cut > 0 {
		a.cut--
		return 0, ""
	}
	return http.StatusOK, fmt.Sprintf(`{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":%q}]}`, to, to, id)
}

// tell gives the receipts of a message; the last one is late and comes a second time.
func (a *account) tell(id, to, ref string) {
	for _, status := range []string{"sent", "delivered", "read", "delivered"} {
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":%q},"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q,"biz_opaque_callback_data":%q}]}}]}]}`,
			phoneID, id, status, time.Now().Unix(), to, ref)
		for a.hook(body) != http.StatusOK {
			if !sleep(a.ctx, 100*time.Millisecond) {
				return
			}
		}
		a.told.Add(1)
		if !sleep(a.ctx, 20*time.Millisecond) {
			return
		}
	}
}

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// accepted is how often the provider took a message of this text.
func (a *account) accepted(text string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.taken[text]
}

// set changes how the account behaves.
func (a *account) set(change func(a *account)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}
