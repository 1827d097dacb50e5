package intake_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

// texts are n messages of one person.
func (w *world) texts(n int) (ins []event.Inbound) {
	for range n {
		ins = append(ins, w.text("p", "x"))
	}
	return ins
}

func (w *world) together(ins ...event.Inbound) (done int) {
	w.Helper()
	ms := make([]bus.Message, len(ins))
	for i, in := range ins {
		ms[i] = w.record(in)
	}
	return w.Together(w.Context(), ms)
}

func (w *world) seqs(ins []event.Inbound) (seqs []int64) {
	for _, in := range ins {
		seqs = append(seqs, w.message(in).Seq)
	}
	return seqs
}

func TestP3_P4_MessagesTakenTogetherAreNumberedInOrderAndOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	ins := w.texts(6)
	w.must(w.Handle(t.Context(), w.record(ins[0])))
	w.store.Reset()
	if done := w.together(ins[0], ins[1], ins[2], ins[1], ins[3]); done != 5 {
		t.Fatalf("%d are done, want 5", done)
	}
	if n := w.store.Writes.Load(); n != 4 {
		t.Errorf("%d writes, want 4: the conversation once, and three messages", n)
	}
	for range 2 { // a redelivery changes nothing
		if done := w.together(ins...); done != 6 {
			t.Fatalf("%d are done, want 6", done)
		}
	}
	// The first number is the opening's.
	if diff := cmp.Diff([]int64{2, 3, 4, 5, 6, 7}, w.seqs(ins)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if c := w.conversationOf(ins[0]); c.Inbound != 6 || c.LastMessageID != w.message(ins[5]).ID || c.Window.LastInboundRef != ins[5].ExternalID {
		t.Errorf("%d messages, last %s: %+v", c.Inbound, c.LastMessageID, c.Window)
	}
}

func TestWhatDoesNotBelongTogetherIsLeftToHandle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	other := w.text("q", "of somebody else")
	edited := w.on(event.MessageEdited, func(in *event.Inbound) { in.Target = "x" })
	referred := w.text("p", "from an ad")
	referred.Content.Referral = &event.Referral{Source: "ad"}
	linked := w.text("p", "by two ids")
	linked.Aliases = []string{"p2"}
	empty := w.text("p", "")
	empty.Content = nil
	first := w.texts(2)
	quoting := w.text("p", "an answer to the first")
	quoting.Content.ReplyTo = &event.Quote{ExternalID: first[0].ExternalID}
	for name, tc := range map[string]struct {
		ins  []event.Inbound
		want int
	}{
		"another person":       {append(w.texts(2), other), 2},
		"another kind":         {append(w.texts(3), edited), 3},
		"a referral":           {append(w.texts(2), referred), 2},
		"a referral first":     {append([]event.Inbound{referred}, w.texts(2)...), 0},
		"another id":           {append(w.texts(2), linked), 2},
		"without content":      {append(w.texts(2), empty), 2},
		"a quote of a message": {append(first, quoting), 2},
		"only one":             {append(w.texts(1), other), 0},
	} {
		if done := w.together(tc.ins...); done != tc.want {
			t.Errorf("%s: %d are done, want %d", name, done, tc.want)
		}
	}
	w.must(w.Handle(t.Context(), w.record(quoting)))
	if q := w.message(quoting).Content.ReplyTo; q.MessageID != w.message(first[0]).ID {
		t.Errorf("the quote leads to %q", q.MessageID)
	}
}
