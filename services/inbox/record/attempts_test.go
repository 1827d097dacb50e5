package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// sent is a message whose first attempt is on its way.
func sent() *record.Message {
	m := &record.Message{Direction: record.Out, ChannelID: "ch_1", ChannelType: event.Telegram, Status: event.Queued}
	m.ID, m.Tenant = "msg_1", "t1"
	m.Attempts = []record.Attempt{{ID: record.AttemptID("t1", m.ID, 1), N: 1, Status: event.Queued}}
	return m
}

// report takes over a step of the newest attempt, or of attempt n.
func report(m *record.Message, n int, status event.DeliveryStatus, parts int, s event.Step) {
	a := m.Attempts[n-1]
	m.Settle(event.Status{AttemptID: a.ID, Attempt: n, Status: status, Step: s, Parts: parts, Seq: a.Seq + 1}, event.Time{})
}

func partStep(part int, status event.DeliveryStatus, id string) event.Step {
	return event.Step{Part: part, Status: status, ExternalID: id}
}

// outbox reads what messages send.
type outbox struct {
	log      storetest.Publisher
	messages *store.Collection[record.Message]
	n        int
}

func newOutbox(t *testing.T) *outbox {
	t.Helper()
	db, o := storetest.New(t), &outbox{}
	if err := db.Ensure(t.Context(), record.MessageSpec); err != nil {
		t.Fatal(err)
	}
	o.messages = store.NewCollection[record.Message](db, record.MessageSpec, store.Facts(store.NewApplier(db, &o.log, nil)))
	return o
}

// resumed is what the record of the newest attempt says, as the channel's service reads it.
func (o *outbox) resumed(t rapid.TB, m *record.Message) *event.Resume {
	t.Helper()
	c := *m
	o.n++
	c.ID = fmt.Sprint("msg", o.n)
	if err := errors.Join(o.messages.Insert(context.Background(), &c), o.messages.Apply(context.Background(), c.ID)); err != nil {
		t.Fatal(err)
	}
	sent := o.log.Topic(event.TopicOutbound(m.ChannelType))
	if len(sent) == 0 {
		t.Fatal("nothing was sent")
	}
	out, err := event.Decode[event.Outbound](sent[len(sent)-1])
	if err != nil {
		t.Fatal(err)
	}
	return out.Resume
}

func TestRuleRESUME_ARetryNamesThePartsThatArrived(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		status event.DeliveryStatus
		parts  int
		steps  []event.Step
		want   *event.Resume
	}{
		"nothing arrived": {event.Failed, 2, []event.Step{partStep(0, event.Failed, ""), partStep(1, event.Failed, "")}, nil},
		"the first part arrived": {
			event.Failed, 3, []event.Step{partStep(0, event.Accepted, "a"), partStep(1, event.Failed, ""), partStep(2, event.Failed, "")}, &event.Resume{Parts: 3, Skip: []int{0}},
		},
		"a part is unknown": {
			event.Unsure, 3, []event.Step{partStep(0, event.Accepted, "a"), partStep(1, event.Unsure, ""), partStep(2, event.Sent, "c")}, &event.Resume{Parts: 3, Skip: []int{0, 2}},
		},
		"unknown, and a receipt came": {
			event.Failed, 2, []event.Step{partStep(0, event.Unsure, ""), partStep(0, event.Delivered, "a"), partStep(1, event.Failed, "")}, &event.Resume{Parts: 2, Skip: []int{0}},
		},
		"accepted, then given up": {event.Failed, 2, []event.Step{partStep(0, event.Accepted, "a"), partStep(0, event.Failed, "a"), partStep(1, event.Accepted, "b")},
			&event.Resume{Parts: 2, Skip: []int{1}}},
		"half an album arrived": {event.Failed, 2, []event.Step{
			partStep(0, event.Accepted, "a"), partStep(0, event.Accepted, "b"), partStep(0, event.Delivered, "a"), partStep(0, event.Failed, "b"), partStep(1, event.Read, "c"),
		}, &event.Resume{Parts: 2, Skip: []int{1}}},
		"steps of an earlier version, which did not count parts": {
			event.Failed, 0, []event.Step{partStep(0, event.Accepted, "a"), partStep(1, event.Failed, "")}, &event.Resume{Skip: []int{0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sent()
			for i, s := range x.steps {
				status := event.Queued
				if i == len(x.steps)-1 {
					status = x.status
				}
				report(m, 1, status, x.parts, s)
			}
			if err := m.Retry(record.Dispatch{}, event.Time{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(x.want, newOutbox(t).resumed(t, m)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMessageIsAsFarAsTheLeastFarOfItsParts(t *testing.T) {
	t.Parallel()
	m := sent()
	report(m, 1, event.Queued, 2, partStep(0, event.Accepted, "a"))
	report(m, 1, event.Failed, 2, partStep(1, event.Failed, ""))
	shown := func(want event.DeliveryStatus) {
		t.Helper()
		if m.Status != want {
			t.Errorf("%s, want %s", m.Status, want)
		}
	}
	again := func() {
		t.Helper()
		if err := m.Retry(record.Dispatch{}, event.Time{}); err != nil {
			t.Fatal(err)
		}
		shown(event.Queued)
	}
	again()
	report(m, 2, event.Delivered, 2, partStep(1, event.Delivered, "b"))
	shown(event.Accepted) // part 0 of the first attempt is no further
	report(m, 1, event.Failed, 2, partStep(0, event.Failed, "a"))
	shown(event.Failed) // the provider gave part 0 up
	again()
	if diff := cmp.Diff(&event.Resume{Parts: 2, Skip: []int{1}}, newOutbox(t).resumed(t, m)); diff != "" {
		t.Error(diff)
	}
	report(m, 3, event.Read, 2, partStep(0, event.Read, "c"))
	shown(event.Delivered) // part 1 of the second attempt
	if err := m.Retry(record.Dispatch{}, event.Time{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a message that arrived is sent again: %v", err)
	}
}

// Whatever came of the parts, in any order and attempt: another attempt leaves out exactly those that arrived and were not given up.
func TestRuleRESUME_AnyHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		out := newOutbox(t)
		parts := rapid.IntRange(1, 4).Draw(rt, "parts")
		m, arrived := sent(), make([]bool, parts)
		for n := 1; n <= 4; n++ {
			failed := false
			for part := range parts {
				if arrived[part] {
					continue
				}
				id := fmt.Sprint(n, ".", part)
				switch rapid.SampledFrom([]string{"arrives", "fails", "is unknown"}).Draw(rt, fmt.Sprint(n, part)) {
				case "arrives":
					arrived[part] = true
					report(m, n, event.Queued, parts, partStep(part, event.Accepted, id))
				case "fails":
					failed = true
					report(m, n, event.Queued, parts, partStep(part, event.Failed, ""))
				default:
					failed = true
					report(m, n, event.Queued, parts, partStep(part, event.Unsure, ""))
				}
			}
			if !failed {
				return
			}
			m.Attempts[n-1].Status, m.Status = event.Failed, event.Failed
			if err := m.Retry(record.Dispatch{}, event.Time{}); err != nil {
				rt.Fatal(err)
			}
			var want []int
			for part, yes := range arrived {
				if yes {
					want = append(want, part)
				}
			}
			var got []int
			if r := out.resumed(rt, m); r != nil {
				got = r.Skip
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatal(diff)
			}
		}
	})
}

// An attempt of an earlier version has neither parts nor what it leaves out.
func TestAnAttemptOfAnEarlierVersionIsRead(t *testing.T) {
	t.Parallel()
	var a record.Attempt
	if err := json.Unmarshal([]byte(`{"id":"try_1","n":1,"status":"failed","seq":2,"steps":[{"status":"failed","source":"send","part":0}]}`), &a); err != nil {
		t.Fatal(err)
	}
	m := sent()
	m.Attempts, m.Status = []record.Attempt{a}, event.Failed
	if err := m.Retry(record.Dispatch{}, event.Time{}); err != nil || newOutbox(t).resumed(t, m) != nil {
		t.Errorf("%v, or it resumes", err)
	}
}
