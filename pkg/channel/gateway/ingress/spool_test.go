package ingress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
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

func TestP2_ReplayTranslatesAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	raw := body(t, events(message("m1", strings.Repeat("x", 300<<10)))) // the journal has its body in the blob store
	r.post("/webhooks/telegram/ch_a", r.ch, raw)
	before := r.bus.Records()
	boss := &auth.Principal{Tenant: "acme", Permissions: []auth.Permission{auth.ChannelsWrite}}
	ids, err := r.Replay(t.Context(), boss, "ch_a", Position{})
	if err != nil || len(ids) != 1 || ids[0] != before[1].Event.ID {
		t.Fatalf("%v %v, want the event of the first time, %s", ids, err, before[1].Event.ID)
	}
	j, _ := event.Decode[event.Webhook](r.bus.Records()[2].Event)
	if j.Verdict != replayed || j.BodyBlob == "" {
		t.Errorf("%+v", j)
	}
	for name, c := range map[string]struct {
		who *auth.Principal
		id  string
		at  Position
	}{
		"another tenant":  {&auth.Principal{Tenant: "other", Permissions: boss.Permissions}, "ch_a", Position{}},
		"another channel": {boss, "ch_b", Position{}},
		"no such record":  {boss, "ch_a", Position{Offset: 99}},
		"not permitted":   {&auth.Principal{Tenant: "acme"}, "ch_a", Position{}},
	} {
		if _, err := r.Replay(t.Context(), c.who, c.id, c.at); !fault.Is(err, fault.Gone) && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w := r.do(httptest.NewRequest(http.MethodPost, "/webhooks/telegram/ch_a/~replay", strings.NewReader(`{}`))); w.Code != 401 {
		t.Errorf("nobody: %d", w.Code)
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
