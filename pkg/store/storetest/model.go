package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/store"
)

// P5OneOpen plays docs/models/facts.pml: handlers of several processes on one thread, stalled and killed between any
// two steps. Messages are taken once, the consumer misses nothing, at most one conversation is open, in the store and
// as it is seen, and in the end nothing is left hanging.
func P5OneOpen(t *testing.T, open Opener, schedules int) {
	db := open(t)
	check(t, db.Ensure(t.Context(), links, messages))
	for seed := range schedules {
		w := newWorld(db, uint64(seed))
		thread := fmt.Sprintf("t%d", seed)
		playThread(t, w, thread)
		if t.Failed() {
			t.Fatalf("schedule %d; on Kafka: %s", seed, logOf(w))
		}
	}
}

func playThread(t *testing.T, w *world, thread string) {
	ctx := t.Context()
	w.deaths, w.fails = w.rng.IntN(3), w.rng.IntN(3)
	acked := make([]bool, 3)
	handlers := []func(c *chain) error{
		func(c *chain) error { return c.receive(ctx, 1, true) },
		func(c *chain) error { return c.receive(ctx, 1, false) },
		func(c *chain) error { return c.receive(ctx, 2, false) },
		func(c *chain) error { return c.close(ctx) },
		func(c *chain) error { return c.close(ctx) },
		func(c *chain) error { return c.post(ctx) },
		func(c *chain) error { return c.Sweep(ctx, 0) },
	}
	refs := []int{1, 1, 2, 0, 0, 0, 0}
	for i, handler := range handlers {
		if i > 0 && w.rng.IntN(5) == 0 {
			continue
		}
		m := &member{world: w, name: i}
		w.start(m, func() {
			c := newChain(thread, memberDB{w.db, m}, memberDB{w.db, m})
			err := handler(c)
			w.mu.Lock()
			acked[refs[i]] = acked[refs[i]] || err == nil
			w.mu.Unlock()
			for err := errAway; errors.Is(err, errAway); {
				err = c.Flush(ctx)
			}
		})
	}
	w.play()
	last := newChain(thread, w.db, &w.log)
	for ref := 1; ref <= 2; ref++ {
		if !acked[ref] { // delivered again
			check(t, last.receive(ctx, ref, ref == 1))
		}
	}
	check(t, last.Sweep(ctx, 0), last.Flush(ctx))
	verify(t, w, last)
}

// verify checks the properties E1 to E4, E7 and E8 of the model.
func verify(t *testing.T, w *world, c *chain) {
	var open, n int
	anchor := 0
	for n = 1; ; n++ {
		l, err := c.links.Get(t.Context(), c.link(n))
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		check(t, err)
		if !l.Closed {
			open++
		}
		if len(l.Pending) > 0 {
			t.Errorf("E7: %s has %d facts pending", l.ID, len(l.Pending))
		}
		if _, err := c.links.Get(t.Context(), c.link(n+1)); (err == nil) != l.Next {
			t.Errorf("E7: %s has next %t, but getting it gives %v", l.ID, l.Next, err)
		}
		for _, topic := range []string{"seen", "copied"} {
			if seen := consume(t, w, topic, n); seen != l.Seq {
				t.Errorf("E2: of %s the consumer of %s has seen %d of %d", l.ID, topic, seen, l.Seq)
			}
		}
		anchor = l.Anchor
	}
	if open > 1 {
		t.Errorf("E3: %d conversations are open", open)
	}
	taken := map[int]map[string]bool{}
	view := map[int]string{0: "closed"}
	seen := map[int]int64{}
	for _, r := range w.log.Records() {
		var e linkFact
		check(t, json.Unmarshal(r.Event.Data, &e))
		if e.Kind == "message" {
			if taken[e.Ref] == nil {
				taken[e.Ref] = map[string]bool{}
			}
			taken[e.Ref][r.Event.ID] = true
		}
		if r.Topic != "seen" || e.Seq <= seen[e.Nth] {
			continue
		}
		seen[e.Nth] = e.Seq
		switch e.Kind {
		case "opened":
			if view[e.Nth-1] != "closed" {
				t.Errorf("E4: conversation %d is seen to open while %d is seen %s", e.Nth, e.Nth-1, view[e.Nth-1])
			}
			view[e.Nth] = "open"
		case "reopened":
			view[e.Nth] = "open"
		case "closed":
			view[e.Nth] = "closed"
		}
	}
	for ref := 1; ref <= 2; ref++ {
		if len(taken[ref]) != 1 {
			t.Errorf("E1: message %d was taken %d times", ref, len(taken[ref]))
		}
		if _, err := c.notes.Get(t.Context(), c.message(ref)); err != nil {
			t.Errorf("E7: message %d: %v", ref, err)
		}
	}
	if anchor == 0 {
		t.Errorf("E8: the last of %d conversations has no anchor", n-1)
	}
}

// consume returns how far a consumer of a topic came that skips what it has passed, and fails if it missed something.
func consume(t *testing.T, w *world, topic string, nth int) int64 {
	last := int64(0)
	for _, r := range w.log.Records() {
		var e linkFact
		check(t, json.Unmarshal(r.Event.Data, &e))
		if r.Topic != topic || e.Nth != nth || e.Seq <= last {
			continue
		}
		if e.Seq != last+1 {
			t.Errorf("E2: the consumer of %s sees %d of conversation %d after %d", topic, e.Seq, nth, last)
		}
		last = e.Seq
	}
	return last
}

func logOf(w *world) string {
	text := ""
	for _, r := range w.log.Records() {
		text += fmt.Sprintf("\n%s %s", r.Topic, r.Event.Data)
	}
	return text
}
