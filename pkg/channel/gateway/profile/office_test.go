package profile

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// knowing is a toy whose provider tells who people are: of everybody but those whose id begins with "nobody".
type knowing struct{ gatewaytest.Toy }

func (knowing) ProfileRequest(ch channel.Channel, who channel.Who) (channel.Request, bool) {
	if strings.HasPrefix(who.Peer, "nobody") {
		return channel.Request{}, false
	}
	return channel.Request{Method: "GET", URL: ch.Settings.Text("api_base_url") + "/who/" + who.Peer + "/" + who.Author, Tag: "profile", Safe: true}, true
}

func (knowing) ParseProfile(_ channel.Channel, _ channel.Who, resp channel.Response) (p event.Profile, err error) {
	seconds, _ := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
	switch resp.Status {
	case 200:
		if err := json.Unmarshal(resp.Body, &p); err != nil {
			return p, fault.New(fault.Unknown, channel.CodeUnclear, "unreadable")
		}
		return p, nil
	case 404:
		return p, fault.New(fault.Gone, channel.CodeRecipientUnknown, "unknown")
	case 401:
		return p, fault.New(fault.Denied, channel.CodeCredentials, "who are you")
	case 429:
		return p, fault.Later(channel.CodeRateLimited, time.Duration(seconds*float64(time.Second)), "slower")
	}
	return p, fault.New(fault.Unknown, channel.CodeUnclear, "status %d", resp.Status)
}

// office is what replicas share: the provider, Redis, Kafka.
type office struct {
	t        *testing.T
	server   *httptest.Server
	redis    string
	said     *storetest.Publisher
	channels *gatewaytest.Channels
	ch       channel.Keyed
	timing   Timing
	rate     channel.Rate

	mu     sync.Mutex
	calls  []string
	auth   []string
	answer func(path string, call int) (status int, body string, after string)
	clock  time.Duration
}

func newOffice(t *testing.T, answer func(path string, call int) (int, string, string)) *office {
	t.Helper()
	o := &office{
		t: t, said: &storetest.Publisher{}, answer: answer, rate: channel.Rate{Per: "channel", N: 10_000, Every: channel.Duration(time.Second), Burst: 10_000},
		timing: Timing{Backoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond, Call: 5 * time.Second},
	}
	o.server = httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(o.server.Close)
	redis, err := embedded.StartRedis(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	o.redis = redis.URL()
	o.ch = gatewaytest.Channel(event.Line, "ch_a", "acme", o.server.URL)
	o.channels = gatewaytest.NewChannels(o.ch, gatewaytest.Channel(event.Line, "ch_b", "acme", o.server.URL))
	return o
}

func (o *office) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	n := 1
	for _, c := range o.calls {
		if c == r.URL.Path {
			n++
		}
	}
	o.calls, o.auth = append(o.calls, r.URL.Path), append(o.auth, r.Header.Get("Authorization"))
	answer := o.answer
	o.mu.Unlock()
	status, body, after := answer(r.URL.Path, n)
	if after != "" {
		w.Header().Set("Retry-After", after)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (o *office) made() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.calls...)
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Add(o.clock)
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock += d
}

// replica is one process; without shared it has no Redis.
func (o *office) replica(shared bool) *Worker {
	o.t.Helper()
	adapter := channel.Guard(knowing{gatewaytest.Toy{Kind: event.Line, Edit: func(i *channel.Info) { i.Inbound.Profiles = &o.rate }}})
	d := Deps{
		Adapter: adapter, Source: "line", Channels: o.channels, Bus: o.said, Now: o.now, Log: slog.New(slog.DiscardHandler), Timing: o.timing,
		Caller: &provider.Caller{Adapter: adapter, Transports: map[string]provider.Transport{"http": &provider.HTTP{Client: gatewaytest.Egress(o.t)}}, Now: o.now},
	}
	if shared {
		c, err := cache.Open(o.redis)
		if err != nil {
			o.t.Fatal(err)
		}
		o.t.Cleanup(func() { _ = c.Close() })
		d.Cache = c
	}
	w := New(d)
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- w.Run(ctx) }()
	o.t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			o.t.Error(err)
		}
	})
	return w
}

// idle waits until nobody waits and nobody is asked for.
func (o *office) idle(ws ...*Worker) {
	o.t.Helper()
	storetest.Eventually(o.t, "the lines are empty", func() bool {
		for _, w := range ws {
			w.mu.Lock()
			n := len(w.lines)
			w.mu.Unlock()
			if n > 0 {
				return false
			}
		}
		return true
	})
}

// told are the profiles that were published: key of the record, who, and what is said of them.
func (o *office) told() (out []string) {
	for _, r := range o.said.Records() {
		in, err := event.Decode[event.Inbound](r.Event)
		if err != nil || r.Topic != event.TopicInbound || r.Event.Type != event.ContactIdentified || in.Identity == nil || in.Identity.Reason != "profile" {
			o.t.Errorf("published %+v (%v)", r, err)
			continue
		}
		p := in.Profile
		if p == nil {
			p = in.Sender
		}
		out = append(out, strings.Join([]string{r.Key, p.Author, p.Name, p.AvatarRef}, " "))
	}
	return out
}

func wrote(peer, author string) event.Inbound {
	in := event.Inbound{Type: event.MessageReceived, Ref: "r", Peer: peer}
	if author != "" {
		in.Sender = &event.Profile{Author: author}
	}
	return in
}

func member(peer, state, author string) event.Inbound {
	in := wrote(peer, author)
	in.Type, in.Membership = event.ContactMembership, &event.Membership{State: state}
	return in
}

func named(path string, _ int) (int, string, string) {
	return 200, `{"name":"N of ` + path + `","avatar_ref":"https://pictures.example/1"}`, ""
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}
