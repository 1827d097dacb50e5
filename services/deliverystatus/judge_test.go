package deliverystatus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// epoch is today, because the store expires documents by its own clock.
var epoch = event.At(time.Now())

var unclaimedCounter, _ = noop.Meter{}.Int64Counter("x")

// consumer is whoever reads tributary.message-status: it skips a seq it has seen, and keeps the highest status.
type consumer struct {
	mu     sync.Mutex
	t      interface{ Errorf(string, ...any) }
	seq    map[string]int64
	status map[string]event.DeliveryStatus
	steps  map[string][]string

	skipped int // parts that every attempt leaves out
}

func (c *consumer) Publish(_ context.Context, recs ...event.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range recs {
		s, err := event.Decode[event.Status](r.Event)
		if err != nil {
			return err
		}
		if s.Seq <= c.seq[s.AttemptID] {
			continue
		}
		if s.Seq != c.seq[s.AttemptID]+1 {
			c.t.Errorf("attempt %s: fact %d came after %d", s.AttemptID, s.Seq, c.seq[s.AttemptID])
		}
		c.seq[s.AttemptID] = s.Seq
		heard := map[int]bool{s.Step.Part: true}
		for _, step := range c.steps[s.AttemptID] {
			part, _, _ := strings.Cut(step, ":")
			n, _ := strconv.Atoi(part)
			heard[n] = true
		}
		if s.Status == event.Failed && len(heard) < s.Parts-c.skipped {
			c.t.Errorf("attempt %s: failed, and %d of its %d parts may be under way", s.AttemptID, s.Parts-len(heard), s.Parts)
		}
		if s.Status.Rank() < c.status[s.AttemptID].Rank() {
			c.t.Errorf("attempt %s: status went from %s back to %s", s.AttemptID, c.status[s.AttemptID], s.Status)
		}
		c.status[s.AttemptID] = s.Status
		c.steps[s.AttemptID] = append(c.steps[s.AttemptID], fmt.Sprintf("%d:%s", s.Step.Part, s.Step.Status))
	}
	return nil
}

func newJudge(t *testing.T, db store.DB, p store.Publisher) (*judge, *store.Applier) {
	t.Helper()
	if err := db.Ensure(t.Context(), receiptSpec, attemptSpec, watermarkSpec); err != nil {
		t.Fatal(err)
	}
	a := store.NewApplier(db, p, slog.New(slog.DiscardHandler))
	return &judge{
		receipts: store.NewCollection[receipt](db, receiptSpec), attempts: store.NewCollection[attempt](db, attemptSpec, store.Facts(a)),
		watermarks: store.NewCollection[watermark](db, watermarkSpec), now: func() time.Time { return epoch.Time }, unclaimed: unclaimedCounter,
	}, a
}

func settled(attempt string, part, parts int, status event.DeliveryStatus, ids ...string) bus.Message {
	r := event.SendResult{
		AttemptID: attempt, MessageID: "msg_" + attempt, ConversationID: "cnv_1", ThreadID: "thr_1", Attempt: 1, ChannelID: "ch_1",
		ChannelType: event.WhatsApp, Peer: "p", Part: part, Parts: parts, ExternalIDs: ids, Status: status, At: epoch,
	}
	return bus.Message{Event: event.New("x", event.SendSettled, "whatsapp", "t1", "", epoch, r)}
}

func reported(id string, status event.DeliveryStatus, clientRef string) bus.Message {
	in := event.Inbound{
		ChannelID: "ch_1", Peer: "p", ExternalID: id, ProviderAt: epoch.Add(time.Second), Ref: id + string(status),
		Receipt: &event.Receipt{Status: status, ClientRef: clientRef},
	}
	return bus.Message{Event: event.New("x", event.ReceiptReceived, "whatsapp", "t1", "", epoch, in)}
}

func marked(status event.DeliveryStatus, upTo event.Time) bus.Message {
	in := event.Inbound{ChannelID: "ch_1", Peer: "p", Ref: "w", Receipt: &event.Receipt{Status: status, UpTo: upTo}}
	return bus.Message{Event: event.New("x", event.ReceiptWatermark, "facebook", "t1", "", epoch, in)}
}

// The checks of docs/models/receipts.pml on the real store: every subset of records, in any order, twice, by several
// handlers at once.
func TestP6_AnyOrderOfReceiptsEndsAtTheHighestStep(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		id := fmt.Sprintf("try_%d", run)
		parts := rapid.IntRange(1, 2).Draw(rt, "parts")
		out := &consumer{t: rt, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}}
		j, applier := newJudge(t, db, out)
		var records []bus.Message
		want := map[int]map[event.DeliveryStatus]bool{}
		for p := range parts {
			ext := fmt.Sprintf("wamid.%s.%d", id, p)
			records = append(records, settled(id, p, parts, event.Accepted, ext))
			want[p] = map[event.DeliveryStatus]bool{event.Accepted: true}
			for _, s := range []event.DeliveryStatus{event.Sent, event.Failed, event.Delivered, event.Read} {
				if rapid.Bool().Draw(rt, fmt.Sprintf("%d %s", p, s)) {
					records = append(records, reported(ext, s, ""))
					want[p][s] = true
				}
			}
		}
		if rapid.Bool().Draw(rt, "again") {
			records = append(records, records...)
		}
		order := rapid.Permutation(records).Draw(rt, "order")
		handlers := rapid.IntRange(1, 3).Draw(rt, "handlers")
		feed := make(chan bus.Message, len(order))
		for _, r := range order {
			feed <- r
		}
		close(feed)
		var wg sync.WaitGroup
		for range handlers {
			wg.Go(func() {
				for r := range feed {
					if err := j.handle(t.Context(), r); err != nil {
						rt.Errorf("%v", err)
					}
				}
			})
		}
		wg.Wait()
		if err := applier.Flush(t.Context()); err != nil {
			rt.Fatal(err)
		}
		check(rt, j, out, id, parts, want)
	})
}

func check(rt *rapid.T, j *judge, out *consumer, id string, parts int, want map[int]map[event.DeliveryStatus]bool) {
	a, err := j.attempts.Get(context.Background(), id)
	if err != nil {
		rt.Fatal(err)
	}
	var steps []string
	for p, set := range want {
		for s := range set {
			steps = append(steps, fmt.Sprintf("%d:%s", p, s))
		}
	}
	slices.Sort(steps)
	slices.Sort(out.steps[id])
	if !slices.Equal(steps, out.steps[id]) {
		rt.Errorf("told %v, want %v", out.steps[id], steps)
	}
	expect := wanted(parts, want)
	if a.Status != expect || out.status[id] != expect {
		rt.Errorf("status %s, told %s, want %s", a.Status, out.status[id], expect)
	}
}

// wanted is R4, written down once more.
func wanted(parts int, want map[int]map[event.DeliveryStatus]bool) event.DeliveryStatus {
	low, failed := event.Read, false
	for p := range parts {
		top := event.Queued
		for s := range want[p] {
			if s.Rank() > top.Rank() {
				top = s
			}
			failed = failed || s == event.Failed
		}
		if top.Rank() < low.Rank() {
			low = top
		}
	}
	if low.Rank() < event.Delivered.Rank() && failed {
		return event.Failed
	}
	return low
}

// An attempt that failed has nothing under way (R4), so that another one may be asked for; parts that it leaves out are not waited for.
func TestP6_AnAttemptEndsWhenEveryPartOfItHasAResult(t *testing.T) {
	t.Parallel()
	leaveOut := func(m bus.Message) bus.Message {
		r, err := event.Decode[event.SendResult](m.Event)
		if err != nil {
			t.Fatal(err)
		}
		r.Skipped = []int{0}
		return bus.Message{Event: event.New("x", event.SendSettled, "whatsapp", "t1", "", epoch, r)}
	}
	for name, x := range map[string]struct {
		records []bus.Message
		skipped int
		want    []event.DeliveryStatus // after each record
	}{
		"a part fails before the first one is heard of": {
			records: []bus.Message{settled("try", 1, 2, event.Failed), settled("try", 0, 2, event.Accepted, "m.0")},
			want:    []event.DeliveryStatus{event.Queued, event.Failed},
		},
		"a receipt fails a part while the next one waits": {
			records: []bus.Message{settled("try", 0, 2, event.Accepted, "m.0"), reported("m.0", event.Failed, ""), settled("try", 1, 2, event.Accepted, "m.1")},
			want:    []event.DeliveryStatus{event.Queued, event.Queued, event.Failed},
		},
		"the rest of a message": {
			records: []bus.Message{leaveOut(settled("try", 1, 3, event.Accepted, "m.1")), leaveOut(settled("try", 2, 3, event.Accepted, "m.2"))},
			skipped: 1, want: []event.DeliveryStatus{event.Queued, event.Accepted},
		},
		"the rest of a message fails": {
			records: []bus.Message{leaveOut(settled("try", 1, 3, event.Failed)), leaveOut(settled("try", 2, 3, event.Failed))},
			skipped: 1, want: []event.DeliveryStatus{event.Queued, event.Failed},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := &consumer{t: t, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}, skipped: x.skipped}
			j, applier := newJudge(t, storetest.New(t), out)
			for i, r := range x.records {
				if err := j.handle(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				if err := applier.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := out.status["try"]; got != x.want[i] {
					t.Errorf("after record %d: %s, want %s", i, got, x.want[i])
				}
			}
		})
	}
}

func TestP6_WatermarksCoverWhatWasSentBeforeThem(t *testing.T) {
	t.Parallel()
	for range 20 {
		db := storetest.New(t)
		out := &consumer{t: t, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}}
		j, applier := newJudge(t, db, out)
		records := []bus.Message{
			settled("try_a", 0, 1, event.Accepted, "m.a"), settled("try_b", 0, 1, event.Accepted, "m.b"),
			marked(event.Read, epoch), marked(event.Delivered, epoch.Add(-time.Hour)), marked(event.Read, epoch.Add(-time.Hour)),
		}
		rand.Shuffle(len(records), func(i, k int) { records[i], records[k] = records[k], records[i] })
		var wg sync.WaitGroup
		for _, r := range records {
			wg.Go(func() {
				if err := j.handle(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := applier.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"try_a", "try_b"} {
			if out.status[id] != event.Read {
				t.Errorf("%s is %q, want read", id, out.status[id])
			}
		}
	}
}

func TestP7_AnUnknownOutcomeIsResolvedByAReceiptWithOurReference(t *testing.T) {
	t.Parallel()
	for name, records := range map[string][]bus.Message{
		"receipt after the result":  {settled("try_u", 0, 1, event.Unsure), reported("m.u", event.Delivered, "try_u:0")},
		"receipt before the result": {reported("m.u", event.Delivered, "try_u:0"), settled("try_u", 0, 1, event.Unsure)},
		"receipts before and after": {reported("m.u", event.Sent, "try_u:0"), settled("try_u", 0, 1, event.Unsure), reported("m.u", event.Delivered, "try_u:0")},
	} {
		db := storetest.New(t)
		out := &consumer{t: t, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}}
		j, applier := newJudge(t, db, out)
		for _, r := range records {
			if err := j.handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if err := applier.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		a, err := j.attempts.Get(t.Context(), "try_u")
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != event.Delivered || out.status["try_u"] != event.Delivered || !slices.Equal(a.externalIDs(), []string{"m.u"}) {
			t.Errorf("%s: attempt %+v, told %s", name, a, out.status["try_u"])
		}
	}
}

func TestUnclaimedStepsGoAwayAndClaimedOnesStay(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	j, _ := newJudge(t, db, &consumer{t: t, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}})
	if err := j.handle(t.Context(), reported("m.stranger", event.Sent, "somebody else's")); err != nil {
		t.Fatal(err)
	}
	doc, err := j.receipts.Get(t.Context(), receiptID("t1", "ch_1", "m.stranger"))
	if errors.Is(err, store.ErrNotFound) {
		return // the store's clock is later than the test's: it is gone already
	}
	if err != nil || doc.ExpiresAt != epoch.Add(unclaimedFor) {
		t.Errorf("expires at %v (%v), want a day after the step", doc, err)
	}
}

// The budget of a receipt: its own document, and the attempt's. A send result is two as well.
func TestAReceiptIsTwoWrites(t *testing.T) {
	t.Parallel()
	db := &storetest.Counted{DB: storetest.New(t)}
	j, applier := newJudge(t, db, &storetest.Publisher{})
	for _, m := range []bus.Message{settled("try", 0, 1, event.Accepted, "wamid"), reported("wamid", event.Delivered, ""), reported("wamid", event.Read, "")} {
		db.Reset()
		if err := j.handle(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if n := db.Writes.Load(); n != 2 {
			t.Errorf("%s: %d writes, want 2", m.Event.Type, n)
		}
	}
	if err := applier.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}
