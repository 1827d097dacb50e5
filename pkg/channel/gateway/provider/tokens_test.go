package provider

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

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// withTokens is a toy whose calls need a token.
type withTokens struct{ gatewaytest.Toy }

func (withTokens) TokenRequest(ch channel.Keyed, _ time.Time, _ string) (channel.Request, error) {
	return channel.Request{Method: "POST", URL: ch.Settings.Text("api_base_url") + "/token", Body: []byte(ch.Secrets.Current("secret"))}, nil
}

func (withTokens) ParseToken(resp channel.Response) (string, time.Duration, error) {
	if resp.Status != 200 {
		return "", 0, fault.New(fault.Denied, "credentials_rejected", "status %d", resp.Status)
	}
	var t struct {
		Token string
		Life  int
	}
	err := json.Unmarshal(resp.Body, &t)
	return t.Token, time.Duration(t.Life) * time.Second, err
}

// tokenServer gives out tokens; only the newest is good.
type tokenServer struct {
	*httptest.Server
	given  atomic.Int64
	denies atomic.Bool
	away   atomic.Bool // it gives out none
}

func newTokenServer(t *testing.T, life int) *tokenServer {
	s := &tokenServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" && s.away.Load() {
			w.WriteHeader(503)
			return
		}
		if r.URL.Path == "/token" {
			_, _ = fmt.Fprintf(w, `{"token": "prov-token-%d", "life": %d}`, s.given.Add(1), life)
			return
		}
		if s.denies.Load() || !strings.HasSuffix(r.Header.Get("Authorization"), fmt.Sprintf("prov-token-%d", s.given.Load())) {
			w.WriteHeader(401)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func replica(t *testing.T, db store.DB, now func() time.Time) *Caller {
	t.Helper()
	sealer, err := auth.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t)
	c.Adapter, c.Now = channel.Guard(withTokens{gatewaytest.Toy{Kind: event.WeChat}}), now
	c.Tokens = NewTokens(c.Adapter, c.Transports, db, sealer, now)
	return c
}

func TestReplicasShareOneToken(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, 7200)
	db := storetest.New(t, TokenSpec, lease.Spec)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL)
	var all sync.WaitGroup
	for range 3 {
		c := replica(t, db, time.Now)
		for range 5 {
			all.Go(func() {
				if token, err := c.Tokens.Token(t.Context(), ch); err != nil || token != "prov-token-1" {
					t.Errorf("%s %v", token, err)
				}
			})
		}
	}
	all.Wait()
	raws, err := db.Get(t.Context(), TokenSpec.Name, "ch_a")
	if err != nil || strings.Contains(string(raws[0].JSON), "prov-token") {
		t.Errorf("P11: %s %v", raws[0].JSON, err)
	}
}

func TestTokensAreRenewedInTime(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, 3600)
	clk := &clock{at: time.Now()}
	c := replica(t, storetest.New(t, TokenSpec, lease.Spec), clk.now)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL)
	want := func(token string) {
		t.Helper()
		if got, err := c.Tokens.Token(t.Context(), ch); err != nil || got != token {
			t.Errorf("%s %v, want %s", got, err, token)
		}
	}
	want("prov-token-1")
	clk.pass(50 * time.Minute)
	want("prov-token-1")
	clk.pass(6 * time.Minute) // old: the next call still has it, and another is fetched beside
	want("prov-token-1")
	for end := time.Now().Add(time.Minute); s.given.Load() < 2 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	storetest.Eventually(t, "the new token is used", func() bool { got, _ := c.Tokens.Token(t.Context(), ch); return got == "prov-token-2" })
	clk.pass(2 * time.Hour) // expired: nobody gets it
	want("prov-token-3")
	ch.Version++ // other secrets
	want("prov-token-4")
}

func TestADeniedTokenIsDroppedOnce(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, 7200)
	clk := &clock{at: time.Now()}
	db := storetest.New(t, TokenSpec, lease.Spec)
	c := replica(t, db, clk.now)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL)
	if v := send(t, c, ch, outbound("x")); v.Finding != dispatch.Taken {
		t.Fatalf("%+v", v)
	}
	s.given.Add(1) // somebody else fetched one: ours is dead
	clk.pass(2 * time.Minute)
	if v := send(t, c, ch, outbound("x")); v.Finding != dispatch.Taken || s.given.Load() != 3 {
		t.Errorf("%+v after %d tokens", v, s.given.Load())
	}
	s.denies.Store(true) // a denial that no new token mends must not fetch one per message
	for range 5 {
		if v := send(t, c, ch, outbound("x")); v.Finding != dispatch.Rejected || v.Err.Kind != fault.Denied {
			t.Errorf("%+v", v)
		}
	}
	if n := s.given.Load(); n != 3 {
		t.Errorf("%d tokens for 5 denials within a minute", n)
	}
}

func TestTheTokenEndpointIsAway(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, 7200)
	s.Close()
	c := replica(t, storetest.New(t, TokenSpec, lease.Spec), time.Now)
	if v := send(t, c, gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL), outbound("x")); v.Finding != dispatch.Deferred {
		t.Errorf("nothing was sent, so it may be repeated: %+v", v)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Tokens.Token(ctx, gatewaytest.Channel(event.WeChat, "ch_b", "acme", s.URL)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// tokenless is a toy some of whose channels' calls need no token.
type tokenless struct{ withTokens }

func (a tokenless) TokenRequest(ch channel.Keyed, at time.Time, nonce string) (channel.Request, error) {
	if ch.Settings.Text("mode") == "plain" {
		return channel.Request{}, nil
	}
	req, err := a.withTokens.TokenRequest(ch, at, nonce)
	req.Tag = "mine"
	return req, err
}

func (a tokenless) ParseToken(resp channel.Response) (string, time.Duration, error) {
	token, life, err := a.withTokens.ParseToken(resp)
	return token + " " + resp.Tag, life, err
}

// A channel whose calls need no token asks for none, and keeps none; what another asked is told with the answer.
func TestChannelsWithoutTokens(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, 7200)
	db := storetest.New(t, TokenSpec, lease.Spec)
	c := replica(t, db, time.Now)
	c.Adapter = channel.Guard(tokenless{withTokens{gatewaytest.Toy{Kind: event.WeChat}}})
	c.Tokens = NewTokens(c.Adapter, c.Transports, db, c.Tokens.sealer, time.Now)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL)
	if token, err := c.Tokens.Token(t.Context(), ch); err != nil || token != "prov-token-1 mine" {
		t.Errorf("%q %v", token, err)
	}
	plain := gatewaytest.Channel(event.WeChat, "ch_b", "acme", s.URL)
	plain.Settings["mode"] = "plain"
	for range 3 {
		if token, err := c.Tokens.Token(t.Context(), plain); err != nil || token != "" {
			t.Errorf("%q %v", token, err)
		}
	}
	raws, err := db.Get(t.Context(), TokenSpec.Name, "ch_b")
	if s.given.Load() != 1 || err != nil || len(raws) > 0 && raws[0].JSON != nil {
		t.Errorf("%d tokens were given, %v %v kept", s.given.Load(), raws, err)
	}
	delete(plain.Settings, "mode") // it changes to one whose calls do
	plain.Version++
	if token, err := c.Tokens.Token(t.Context(), plain); err != nil || token != "prov-token-2 mine" {
		t.Errorf("%q %v", token, err)
	}
}
