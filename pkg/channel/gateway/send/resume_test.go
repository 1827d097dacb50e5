package send

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
)

// resend posts another attempt of a message, as the inbox does once every part of the first one has a result (rule WAITALL).
func (w *world) resend(first event.Outbound, id string) event.Outbound {
	w.t.Helper()
	again, said := first, w.results()
	again.AttemptID, again.Attempt = id, first.Attempt+1
	for n := range strings.Split(first.Content.Text, "\n--\n") {
		results := said[partID(first.AttemptID, n)]
		if len(results) == 0 {
			w.t.Fatalf("part %d of %s has no result", n, first.AttemptID)
		}
		if slices.ContainsFunc(results, func(r event.SendResult) bool { return r.Status == event.Accepted }) {
			if again.Resume == nil {
				again.Resume = &event.Resume{Parts: results[0].Parts}
			}
			again.Resume.Skip = append(again.Resume.Skip, n)
		}
	}
	w.post(again)
	return again
}

const threeParts = "one\n--\ntwo\n--\nthree"

func TestRuleRESUME_AnotherAttemptLeavesOutWhatArrived(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		first  gatewaytest.Answer // to part 1 of the first attempt
		again  gatewaytest.Answer // to part 1 of the second, the first time
		skip   []int
		second map[string][]event.DeliveryStatus
	}{
		"a part failed": {first: gatewaytest.Answer{Status: 400}, skip: []int{0},
			second: map[string][]event.DeliveryStatus{"a1/1": {event.Accepted}, "a1/2": {event.Accepted}}},
		"a part is unknown": {first: gatewaytest.Answer{Status: 500, Taken: true}, skip: []int{0, 2},
			second: map[string][]event.DeliveryStatus{"a1/1": {event.Accepted}}},
		"it fails again": {first: gatewaytest.Answer{Status: 400}, again: gatewaytest.Answer{Status: 400}, skip: []int{0},
			second: map[string][]event.DeliveryStatus{"a1/1": {event.Failed}, "a1/2": {event.Failed}}},
		"it has to wait": {first: gatewaytest.Answer{Status: 400}, again: gatewaytest.Answer{Status: 503}, skip: []int{0},
			second: map[string][]event.DeliveryStatus{"a1/1": {event.Accepted}, "a1/2": {event.Accepted}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
				switch {
				case s.ID == "a0/1":
					return x.first
				case s.ID == "a1/1" && call == 1:
					return x.again
				}
				return gatewaytest.Answer{}
			})
			first := text("ch_a", "ann", "a0", threeParts)
			w.post(first)
			w.finish()
			again := w.resend(first, "a1")
			w.finish()
			if diff := cmp.Diff(x.skip, again.Resume.Skip); diff != "" {
				t.Error(diff)
			}
			got := map[string][]event.DeliveryStatus{}
			for id, rs := range w.results() {
				if !strings.HasPrefix(id, "a1/") {
					continue
				}
				got[id] = w.statuses(id)
				if rs[0].Parts != 3 || !slices.Equal(rs[0].Skipped, x.skip) {
					t.Errorf("%s: of %d parts, skipped %v", id, rs[0].Parts, rs[0].Skipped)
				}
			}
			if diff := cmp.Diff(x.second, got); diff != "" {
				t.Error(diff)
			}
			w.check()
		})
	}
}

// A rendering of another length does not say which part of the text has arrived, so nothing is sent.
func TestRuleRESUME_AnotherRenderingIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	msg := text("ch_a", "ann", "a1", "one\n--\ntwo")
	msg.Resume = &event.Resume{Parts: 3, Skip: []int{1}}
	w.post(msg)
	p := w.start(0)
	defer p.end()
	waitFor(t, func() bool { return len(w.results()) == 2 })
	for _, id := range []string{"a1/0", "a1/2"} {
		if rs := w.results()[id]; len(rs) != 1 || rs[0].Status != event.Failed || rs[0].Error.Code != "render_changed" && rs[0].Error.Code != "earlier_part_failed" {
			t.Errorf("%s: %+v", id, rs)
		}
	}
	if n := len(w.provider.Order("ann")); n != 0 {
		t.Errorf("%d parts were sent", n)
	}
}

// The interleavings of the model's layout 5: the process dies at every point of the first attempt's life and of the second's.
func TestP7_DeathAtEveryPointOfAResumedMessage(t *testing.T) {
	t.Parallel()
	moody := func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		switch {
		case s.ID == "a0/0" && call == 1, s.ID == "a1/2" && call == 1:
			return gatewaytest.Answer{Status: 503}
		case s.ID == "a0/1":
			return gatewaytest.Answer{Status: 400}
		}
		return gatewaytest.Answer{}
	}
	first := text("ch_a", "ann", "a0", threeParts)
	whole := newWorld(t, moody)
	whole.post(first)
	p := whole.start(0)
	whole.settled()
	p.end()
	points := p.life.Points()
	for at := int64(1); at <= points+2; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, moody)
			w.impatient()
			w.post(first)
			w.dieAt(at)
			again := w.resend(first, "a1")
			w.dieAt(at)
			for n := range 3 {
				one, two := w.provider.Taken(partID("a0", n)), w.provider.Taken(partID("a1", n))
				if unknown := slices.Contains(w.statuses(partID("a0", n)), event.Unsure); one+two > 1 && !unknown {
					t.Errorf("A8: part %d reached the person %d and %d times; skipped were %v", n, one, two, again.Resume)
				}
			}
			w.check()
		})
	}
}
