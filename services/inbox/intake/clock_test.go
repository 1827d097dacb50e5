package intake_test

import (
	"testing"
	"time"
)

// What is newest by its number is newest by its time, although the clock is set back in between.
func TestP4_TimesOfAConversationNeverFall(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{-5 * time.Second, -time.Hour, -48 * time.Hour, time.Hour} {
		w := newWorld(t, `{}`)
		first, second := w.text("p", "one"), w.text("p", "two")
		w.must(w.Handle(t.Context(), w.record(first)))
		before := w.conversationOf(first)
		w.pass(step)
		w.must(w.Handle(t.Context(), w.record(second)))
		after := w.conversationOf(second)
		if w.message(second).CreatedAt.Before(w.message(first).CreatedAt) {
			t.Errorf("%s: the second message was made at %s, the first at %s", step, w.message(second).CreatedAt, w.message(first).CreatedAt)
		}
		if after.LastMessageAt.Before(before.LastMessageAt) || after.UpdatedAt.Before(before.UpdatedAt) {
			t.Errorf("%s: %s after %s, %s after %s", step, after.LastMessageAt, before.LastMessageAt, after.UpdatedAt, before.UpdatedAt)
		}
	}
}
