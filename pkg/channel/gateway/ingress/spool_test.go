package ingress

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

func noRetries(i *channel.Info) { i.Inbound.Retries = false }

// refs lists the messages that were published, in order, each once.
func (r *rig) refs(t *testing.T) (out []string) {
	t.Helper()
	for _, e := range r.bus.Topic(event.TopicInbound) {
		in, err := event.Decode[event.Inbound](e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, in.Ref)
	}
	return out
}

func TestP1_TheSpoolKeepsWhatNobodyRepeats(t *testing.T) {
	t.Parallel()
	r := newRig(t, noRetries)
	away := func([]event.Record) error { return errors.New("away") }
	r.bus.Fail(away)
	var want []string
	send := func(n int) {
		ref := fmt.Sprintf("m%d", n)
		want = append(want, ref)
		if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message(ref, "text")))); w.Code != 200 {
			t.Fatalf("%s: %d", ref, w.Code)
		}
	}
	for n := range 3 {
		send(n)
	}
	r.bus.Fail(nil)
	send(3) // Kafka is back, but three calls wait: this one goes behind them
	if got := r.refs(t); len(got) != 0 {
		t.Fatalf("overtook the spool: %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	storetest.Eventually(t, "the spool is empty", func() bool { return !r.spool.active() })
	send(4)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.refs(t)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if docs, err := r.spool.page(t.Context(), 10); err != nil || len(docs) != 0 {
		t.Errorf("%d left, %v", len(docs), err)
	}
}

// What waits in the spool is published in the trace of the call that it came with, by whichever process finds it.
func TestTheSpoolKeepsTheSpanOfACall(t *testing.T) {
	t.Parallel()
	r := newRig(t, noRetries)
	want := map[string]string{"m0": "", "m1": ""}
	for i, ref := range []string{"m0", "m1"} {
		ctx := t.Context()
		if i > 0 { // the first came without, as all did to earlier versions
			ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
		}
		want[ref] = traceparent.Of(ctx)
		rec := event.Record{Topic: event.TopicInbound, Key: "k", Event: event.New(ref, event.MessageReceived, "test", "t1", "", event.At(time.Now()), nil)}
		if err := r.spool.put(ctx, []event.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.spool.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, rec := range r.bus.Records() {
		got[rec.Event.ID] = rec.Trace
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestP1_KafkaAndStoreAwayIs503(t *testing.T) {
	t.Parallel()
	r := newRig(t, noRetries, func(d *Deps) { d.DB = broken{d.DB} })
	r.bus.Fail(func([]event.Record) error { return errors.New("away") })
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m", "text")))); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d", w.Code)
	}
}

type broken struct{ store.DB }

func (broken) Batch(_ context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	for i := range errs {
		errs[i] = errors.New("store away")
	}
	return errs
}

func TestReplicasShareTheSpool(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Specs(event.Telegram)...)
	a := newRig(t, noRetries, func(d *Deps) { d.DB = db })
	b := newRig(t, noRetries, func(d *Deps) { d.DB = db })
	a.bus.Fail(func([]event.Record) error { return errors.New("away") })
	if w := a.post("/webhooks/telegram/ch_a", a.ch, body(t, events(message("m", "text")))); w.Code != 200 {
		t.Fatal(w.Code)
	}
	if err := b.spool.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m"}, b.refs(t)); diff != "" {
		t.Errorf("the other replica did not publish it: %s", diff)
	}
}

// Calls of one person come to replicas whose clocks differ, and to one that was started again with its clock set back.
func TestP4_TheSpoolKeepsTheOrderWhateverTheClocksSay(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"5 s": 5 * time.Second, "an hour": time.Hour, "2 days": 48 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.New(t, Specs(event.Telegram)...)
			var want []string
			for n, ahead := range []time.Duration{0, -off, 0, off, 0, -off} {
				r := newRig(t, noRetries, func(d *Deps) { d.DB, d.Now = db, func() time.Time { return time.Now().Add(ahead) } })
				r.bus.Fail(func([]event.Record) error { return errors.New("away") })
				want = append(want, fmt.Sprint("m", n))
				if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message(want[n], "text")))); w.Code != 200 {
					t.Fatal(w.Code)
				}
			}
			r := newRig(t, noRetries, func(d *Deps) { d.DB = db })
			if err := r.spool.look(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, r.refs(t)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestP2_ReplayTranslatesAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	raw := body(t, events(message("m1", strings.Repeat("x", 300<<10)))) // the journal has its body in the blob store
	r.post("/webhooks/telegram/ch_a", r.ch, raw)
	before := r.bus.Records()
	ids, err := r.Replay(t.Context(), r.ch, Position{})
	if err != nil || len(ids) != 2 || ids[0] != before[1].Event.ID || ids[1] != before[2].Event.ID {
		t.Fatalf("%v %v, want the events of the first time, %s and %s", ids, err, before[1].Event.ID, before[2].Event.ID)
	}
	j, _ := event.Decode[event.Webhook](r.bus.Records()[3].Event)
	if j.Verdict != replayed || j.BodyBlob == "" {
		t.Errorf("%+v", j)
	}
	b, _ := r.channels.Channel(t.Context(), "ch_b")
	for name, ask := range map[string]func() ([]string, error){
		"another channel": func() ([]string, error) { return r.Replay(t.Context(), b, Position{}) },
		"no such record":  func() ([]string, error) { return r.Replay(t.Context(), r.ch, Position{Offset: 99}) },
		"no partition":    func() ([]string, error) { return r.Replay(t.Context(), r.ch, Position{Partition: 99}) },
		"below zero":      func() ([]string, error) { return r.Replay(t.Context(), r.ch, Position{Partition: -1}) },
		"before all":      func() ([]string, error) { return r.Replay(t.Context(), r.ch, Position{Offset: -1}) },
	} {
		if _, err := ask(); !fault.Is(err, fault.Gone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestP10_ReplayOfWhatSeveralTenantsShare: of a call for several, each gets again what was for its own channel, and nothing else.
func TestP10_ReplayOfWhatSeveralTenantsShare(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"short": "hello", "long": strings.Repeat("x", 200<<10)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same := func(ch channel.Keyed) channel.Keyed {
				ch.Secrets["secret"] = []string{"the secret of the app"}
				return ch
			}
			ours, theirs := same(gatewaytest.Channel(event.Telegram, "ch_a", "acme", "")), same(gatewaytest.Channel(event.Telegram, "ch_x", "other", ""))
			r := newRig(t, nil, func(d *Deps) { d.Channels = gatewaytest.NewChannels(ours, theirs) })
			a, x := message("m1", text), message("m2", text)
			a.ChannelID, x.ChannelID = "ch_a", "ch_x"
			payload := body(t, map[string]any{"account": []string{"acct_ch_a", "acct_ch_x"}, "events": []event.Inbound{a, x}})
			if w := r.post("/webhooks/telegram", ours, payload); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			first := r.bus.Records()
			for n, ch := range []channel.Keyed{ours, theirs} {
				before := len(r.bus.Records())
				ids, err := r.Replay(t.Context(), ch, Position{Offset: int64(n)})
				if err != nil || len(ids) == 0 {
					t.Fatalf("%s: %v, %v", ch.ID, ids, err)
				}
				for _, id := range ids {
					was := slices.IndexFunc(first, func(rec event.Record) bool { return rec.Event.ID == id })
					if was < 0 || first[was].Event.Tenant != ch.Tenant {
						t.Errorf("%s: %s is none of its events", ch.ID, id)
					}
				}
				for _, rec := range r.bus.Records()[before:] {
					if rec.Event.Tenant != ch.Tenant {
						t.Errorf("the replay of %s published for %s", ch.Tenant, rec.Event.Tenant)
					}
				}
			}
			if _, err := r.Replay(t.Context(), ours, Position{Offset: 1}); !fault.Is(err, fault.Gone) {
				t.Errorf("another tenant's record: %v", err)
			}
		})
	}
}

func TestP10_OperationsAreForTheChannelsOwnPeople(t *testing.T) {
	t.Parallel()
	who := map[string]*auth.Principal{
		"boss": {Tenant: "acme", Permissions: []auth.Permission{auth.ChannelsWrite}}, "stranger": {Tenant: "other", Permissions: []auth.Permission{auth.ChannelsWrite}},
		"clerk": {Tenant: "acme"},
	}
	r := newRig(t, nil, func(d *Deps) {
		d.Authenticate = func(c *gin.Context) {
			if p := who[c.GetHeader("X-Who")]; p != nil {
				c.Request = c.Request.WithContext(auth.With(c.Request.Context(), p))
			}
		}
		d.Operations = map[string]Operation{"test": func(context.Context, channel.Keyed, []byte) (any, error) { return "tested", nil }}
	})
	ask := func(as, path, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		req.Header.Set("X-Who", as)
		return r.do(req)
	}
	recorded := `{"body": {"events": [{"type": "message.received", "ref": "sim-1", "peer": "p", "content": {"type": "text", "text": "x"}}]}}`
	for _, c := range []struct {
		as, path, body string
		want           int
	}{
		{"boss", "/webhooks/telegram/ch_a/~simulate", recorded, 200},
		{"boss", "/webhooks/telegram/ch_a/~simulate", `{"body": "{\"events\": []}"}`, 200},
		{"boss", "/webhooks/telegram/ch_a/~simulate", `{"encoding": "base64", "body": "` + base64.StdEncoding.EncodeToString([]byte(`{"events": []}`)) + `"}`, 200},
		{"boss", "/webhooks/telegram/ch_a/~simulate", `{"encoding": "base64", "body": "{}"}`, 422},
		{"boss", "/webhooks/telegram/ch_a/~simulate", `{"encoding": "base64", "body": {"events": []}}`, 422},
		{"boss", "/webhooks/telegram/ch_a/~simulate", `{"encoding": "gzip", "body": "{}"}`, 422},
		{"boss", "/webhooks/telegram/ch_a/~simulate", `{"body": "no json"}`, 422},
		{"boss", "/webhooks/telegram/ch_a/~simulate", `{}`, 422},
		{"boss", "/webhooks/telegram/ch_a/~replay", `{"offset": 0}`, 200},
		{"boss", "/webhooks/telegram/ch_a/~replay", `[]`, 422},
		{"boss", "/webhooks/telegram/ch_a/~replay", `{"place": 0}`, 422},
		{"boss", "/webhooks/telegram/ch_a/~test", ``, 200},
		{"boss", "/webhooks/telegram/ch_a/~unheard-of", ``, 401}, // a call that nobody signed
		{"stranger", "/webhooks/telegram/ch_a/~simulate", recorded, 404},
		{"clerk", "/webhooks/telegram/ch_a/~simulate", recorded, 403},
		{"", "/webhooks/telegram/ch_a/~replay", `{}`, 401},
	} {
		if w := ask(c.as, c.path, c.body); w.Code != c.want {
			t.Errorf("%s %s %s: %d %s", c.as, c.path, c.body, w.Code, w.Body)
		}
	}
	if diff := cmp.Diff([]string{"sim-1"}, r.refs(t)); diff != "" {
		t.Error(diff)
	}
}

func TestOperationsAreServedOnTheirHostsAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hosts []string
		host  string
		want  int
	}{
		{nil, "hooks.example.com", 200},
		{[]string{"api.example.com"}, "api.example.com", 200},
		{[]string{"other.example.com", "API.example.com"}, "api.example.com:8443", 200},
		{[]string{"api.example.com"}, "hooks.example.com", 401}, // a call that nobody signed
		{[]string{"api.example.com"}, "xapi.example.com", 401},
		{[]string{"api.example.com"}, "", 401},
	} {
		r := newRig(t, nil, func(d *Deps) {
			d.OperationsHosts = c.hosts
			d.Authenticate = func(g *gin.Context) {
				boss := &auth.Principal{Tenant: "acme", Permissions: []auth.Permission{auth.ChannelsWrite}}
				g.Request = g.Request.WithContext(auth.With(g.Request.Context(), boss))
			}
			d.Operations = map[string]Operation{"test": func(context.Context, channel.Keyed, []byte) (any, error) { return "tested", nil }}
		})
		req := httptest.NewRequest(http.MethodPost, "/webhooks/telegram/ch_a/~test", nil)
		req.Host = c.host
		if w := r.do(req); w.Code != c.want {
			t.Errorf("hosts %q, host %q: %d %s, want %d", c.hosts, c.host, w.Code, w.Body, c.want)
		}
	}
}

func TestDeliverIsAWebhookWithoutHTTP(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	raw := body(t, events(message("mail-1", "text")))
	if _, err := r.Deliver(t.Context(), r.ch, channel.Inbound{Body: raw, Pulled: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Deliver(t.Context(), r.ch, channel.Inbound{Body: raw}); !fault.Is(err, fault.Denied) {
		t.Errorf("unproved: %v", err)
	}
	r.bus.Fail(func([]event.Record) error { return errors.New("away") })
	if _, err := r.Deliver(t.Context(), r.ch, channel.Inbound{Body: raw, Pulled: true, At: time.Now()}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("kafka away: %v", err)
	}
	if diff := cmp.Diff([]string{"mail-1"}, r.refs(t)); diff != "" {
		t.Error(diff)
	}
}
