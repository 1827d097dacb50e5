package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/event"
)

// changed is the event of a conversation that was changed at a time.
func changed(conversation string, at time.Time) event.Record {
	s := event.Stream{Type: "x", ConversationID: conversation, Data: json.RawMessage(`{}`)}
	id := event.DeriveID("evt", conversation, at.String())
	e := event.New(id, event.StreamEvent, "inbox", "t", "", event.At(at), s)
	return event.Record{Topic: event.TopicStream, Key: "t", Event: e}
}

// A replica that starts with its clock an hour back knows from the log which times have come.
func TestAReplicaThatStartsWithItsClockSetBackHidesNoChange(t *testing.T) {
	t.Parallel()
	b, now := bustest.New(t), time.Now()
	publish := func(r event.Record) {
		t.Helper()
		if err := b.Publish(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	publish(changed("before", now))
	back := func() time.Time { return time.Now().Round(0).Add(-time.Hour) }
	h := NewHub(b, back)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if _, err := h.Start(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	publish(changed("after", back()))
	bustest.Eventually(t, "a poller is told what was changed after the start", func() bool {
		return h.ChangedSince("after", event.At(back()), event.At(now))
	})
	later := event.At(now.Add(time.Hour))
	if h.ChangedSince("before", event.At(now), later) || h.ChangedSince("old", event.At(back()), event.At(now)) {
		t.Error("a poller is told what has not changed")
	}
}

func TestHowManyLateChangesAreRememberedIsBounded(t *testing.T) {
	t.Parallel()
	h := NewHub(nil, time.Now)
	h.late.most = 100
	before := event.At(time.Now())
	for n := range h.late.most + 1 {
		h.late.note(bus.Message{Event: changed(fmt.Sprint(n), time.Now().Add(-time.Hour)).Event})
	}
	if len(h.late.came) > h.late.most {
		t.Errorf("%d conversations are remembered", len(h.late.came))
	}
	for _, c := range []string{"0", fmt.Sprint(h.late.most)} { // the forgotten, and the newest
		if !h.ChangedSince(c, event.At(time.Now().Add(-time.Hour)), before) {
			t.Errorf("conversation %s is not told", c)
		}
	}
	if later := event.At(time.Now().Add(time.Hour)); h.ChangedSince("0", before, later) {
		t.Error("what was forgotten is told for ever")
	}
}
