package provider

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// renewing is a toy whose api_token is renewed.
type renewing struct{ gatewaytest.Toy }

func (renewing) Renewable() string { return "api_token" }

func (renewing) ParseRenewal(resp channel.Response) string { return string(resp.Body) }

func renewer(t *testing.T, db store.DB, now func() time.Time) *Caller {
	t.Helper()
	sealer, err := auth.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t)
	c.Adapter, c.Now = channel.Guard(renewing{gatewaytest.Toy{Kind: event.WeChat}}), now
	c.Tokens = NewTokens(c.Adapter, c.Transports, db, sealer, now)
	return c
}

// A renewed credential is used in place of the channel's own: by all replicas, after a start, while it is valid, and for as long as the
// channel has the secret that it replaces, whatever else changes.
func TestRenewedCredentialsReplaceTheChannelsOwn(t *testing.T) {
	t.Parallel()
	clk := &clock{at: time.Now()}
	db := storetest.New(t, TokenSpec, lease.Spec)
	c, other := renewer(t, db, clk.now), renewer(t, db, clk.now)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", "http://provider.example")
	want := func(when string, c *Caller, want string) {
		t.Helper()
		if got, err := c.Tokens.Token(t.Context(), ch); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", when, got, err, want)
		}
	}
	renew := func(credential string, life time.Duration) {
		t.Helper()
		if err := c.Tokens.Renew(t.Context(), ch, credential, clk.now().Add(life)); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	want("before", c, "")
	want("before, elsewhere", other, "")
	renew("", 60*day)
	renew(hidden, 60*day)
	want("the provider repeats the channel's own", c, "")
	renew("renewed-credential-1", 60*day)
	want("renewed", c, "renewed-credential-1")
	want("elsewhere, within ten minutes", other, "")
	clk.pass(lookAgain)
	want("elsewhere", other, "renewed-credential-1")
	want("after a start", renewer(t, db, clk.now), "renewed-credential-1")
	ch.Version++
	want("another name of the channel", c, "renewed-credential-1")
	clk.pass(50 * day)
	renew(hidden, 60*day)
	clk.pass(50 * day)
	want("the provider has repeated the renewed one", c, "renewed-credential-1")
	raws, err := db.Get(t.Context(), TokenSpec.Name, "ch_a")
	if err != nil || strings.Contains(string(raws[0].JSON), "renewed-credential") {
		t.Errorf("P11: %s %v", raws[0].JSON, err)
	}
	ch.Secrets = channel.Secrets{"secret": ch.Secrets["secret"], "api_token": {"another"}}
	want("another secret", c, "")
	ch = gatewaytest.Channel(event.WeChat, "ch_a", "acme", "http://provider.example")
	clk.pass(11 * day)
	want("it has ended", c, "")
}

// A renewed credential that the provider denies is dropped, and the call is made once more with the channel's own.
func TestADeniedRenewalFallsBack(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var used []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		used = append(used, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "+gatewaytest.APIToken+"ch_a"))
		if strings.HasSuffix(r.Header.Get("Authorization"), "renewed-credential-1") {
			w.WriteHeader(401)
		}
	}))
	t.Cleanup(s.Close)
	clk := &clock{at: time.Now()}
	c := renewer(t, storetest.New(t, TokenSpec, lease.Spec), clk.now)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL)
	if err := c.Tokens.Renew(t.Context(), ch, "renewed-credential-1", clk.now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	clk.pass(2 * time.Minute)
	for range 2 {
		if v := send(t, c, ch, outbound("x")); v.Finding != dispatch.Taken {
			t.Errorf("%+v", v)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(used) != 3 || used[0] != "renewed-credential-1" || used[1] != "" || used[2] != "" {
		t.Errorf("calls with %q", used)
	}
}

// Without the store nothing is known of a renewal: a call waits rather than go with a credential that may have ended; what is known stays.
func TestRenewalsWithoutAStore(t *testing.T) {
	t.Parallel()
	clk := &clock{at: time.Now()}
	c := renewer(t, storetest.New(t, TokenSpec, lease.Spec), clk.now)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", "http://provider.example")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Tokens.Token(gone, ch); err == nil {
		t.Error("a channel of which nothing is known got a credential")
	}
	if err := c.Tokens.Renew(gone, ch, "renewed-credential-1", clk.now().Add(time.Hour)); err == nil {
		t.Error("what was not kept counts as renewed")
	}
	if err := c.Tokens.Renew(t.Context(), ch, "renewed-credential-1", clk.now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	clk.pass(lookAgain)
	if got, err := c.Tokens.Token(gone, ch); err != nil || got != "renewed-credential-1" {
		t.Errorf("%q %v", got, err)
	}
}
