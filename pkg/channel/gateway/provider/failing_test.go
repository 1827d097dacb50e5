package provider

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// Channels whose credentials fail are counted, until they do not fail any more or nobody has seen them fail for an hour.
func TestChannelsWhoseCredentialsFailAreCounted(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, 7200)
	clk := &clock{at: time.Now()}
	c := replica(t, storetest.New(t, TokenSpec, lease.Spec), clk.now)
	ch := gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL)
	counts := func(what string, refused, unrenewed int64) {
		t.Helper()
		storetest.Eventually(t, what, func() bool { // a token is renewed beside the call
			send(t, c, ch, outbound("x"))
			return c.failing.count(denied, clk.now()) == refused && c.failing.count(renewal, clk.now()) == unrenewed
		})
	}
	counts("all is well", 0, 0)
	s.denies.Store(true)
	counts("the provider refuses them", 1, 0)
	s.denies.Store(false)
	counts("the provider takes them again", 0, 0)
	s.away.Store(true)
	clk.pass(2*time.Hour - 4*time.Minute)
	counts("the token is good for 4 more minutes and cannot be renewed", 0, 1)
	clk.pass(10 * time.Minute)
	counts("the token has ended", 0, 1)
	if clk.pass(2 * time.Hour); c.failing.count(renewal, clk.now()) != 0 {
		t.Error("a channel that nobody uses is counted for ever")
	}
	s.away.Store(false)
	counts("a new token is there", 0, 0)
}
