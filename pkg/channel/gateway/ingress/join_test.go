package ingress

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/join"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// inParts is a rig whose provider hands long messages over in parts, with a clock that is moved by hand.
func inParts(t *testing.T) (r *rig, pass func(time.Duration)) {
	t.Helper()
	now := time.Now().Truncate(time.Second) // the store removes what has expired by its own clock
	r = newRig(t, func(i *channel.Info) { i.Inbound.InParts = true }, func(d *Deps) {
		d.DB = storetest.New(t, append(Specs(event.Telegram), join.Spec(event.Telegram))...)
		d.Now = func() time.Time { return now }
	})
	return r, func(d time.Duration) { now = now.Add(d) }
}

// post posts part n of three.
func (r *rig) part(t *testing.T, n int, text string) int {
	t.Helper()
	ref := "m" + strconv.Itoa(n)
	return r.post("/webhooks/telegram/ch_a", r.ch, body(t, map[string]any{
		"events": []event.Inbound{message(ref, text)}, "pieces": map[string]event.Piece{ref: {Ref: "7", Part: n, Total: 3}},
	})).Code
}

// said are the texts that were published.
func (r *rig) said(t *testing.T) (out []string) {
	t.Helper()
	for _, rec := range r.bus.Records() {
		if rec.Topic != event.TopicInbound {
			continue
		}
		e, err := event.Decode[event.Inbound](rec.Event)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Ref+" "+e.Content.Text)
	}
	return out
}

func TestP1_PartsOfAMessageArePublishedAsOne(t *testing.T) {
	t.Parallel()
	r, pass := inParts(t)
	for n, text := range map[int]string{1: "a", 3: "c"} {
		if code := r.part(t, n, text); code != 200 {
			t.Fatalf("part %d: %d", n, code)
		}
	}
	if got := r.said(t); got != nil {
		t.Fatalf("said %q before all of it was there", got)
	}
	for _, rec := range r.bus.Records() {
		if w, err := event.Decode[event.Webhook](rec.Event); err != nil || w.Verdict != accepted {
			t.Errorf("journal %+v, %v", w, err)
		}
	}
	r.bus.Fail(func([]event.Record) error { return errors.New("away") })
	if code := r.part(t, 2, "b"); code != 503 {
		t.Fatalf("the last part, while Kafka is away: %d", code)
	}
	r.bus.Fail(nil)
	for range 2 { // the provider calls again, and once more
		if code := r.part(t, 2, "b"); code != 200 {
			t.Fatalf("the last part again: %d", code)
		}
	}
	pass(join.Patience)
	if err := r.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m1 abc"}, r.said(t)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestP1_AMessageWhosePartIsLostIsPublishedWithAMark(t *testing.T) {
	t.Parallel()
	r, pass := inParts(t)
	r.part(t, 1, "a")
	r.part(t, 3, "c")
	pass(join.Patience - time.Second)
	if err := r.Join(t.Context()); err != nil || r.said(t) != nil {
		t.Fatalf("too early: %q, %v", r.said(t), err)
	}
	pass(time.Second)
	r.bus.Fail(func([]event.Record) error { return errors.New("away") })
	if err := r.Join(t.Context()); err == nil {
		t.Fatal("no error while Kafka is away")
	}
	r.bus.Fail(nil)
	for range 2 {
		if err := r.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"m1 a" + join.Missing + "c"}, r.said(t)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPartsOfAChannelThatIsGoneAreNotPublished(t *testing.T) {
	t.Parallel()
	r, pass := inParts(t)
	r.part(t, 1, "a")
	r.channels.Delete("ch_a")
	pass(join.Patience)
	for range 2 {
		if err := r.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if due, err := r.joins.Due(t.Context()); err != nil || len(due) > 0 || r.said(t) != nil {
		t.Errorf("%d are due, %q was said, %v", len(due), r.said(t), err)
	}
}
