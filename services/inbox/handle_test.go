package inbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
)

// A reply handle is taken in the commit of the message that uses it, so that of messages that are sent at once one has it (rule TAKE of
// docs/models/outbound.pml).
func TestAReplyHandleGoesToOneMessage(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	sent := w.leaving(event.MessageSend)
	until, want, got := event.At(time.Now().Add(time.Hour)), map[string]map[string]int{}, map[string]map[string]int{}
	for n := range rounds {
		token := fmt.Sprint("token-", n)
		c := w.wrote(event.WhatsApp, fmt.Sprint("p", n), "hi", func(in *event.Inbound) {
			in.ReplyHandle = &event.ReplyHandle{Token: token, Until: until, Uses: 1}
		}).ConversationID
		say := func() { w.say(w.key, c, object{"text": "hello"}).want(202) }
		duel(say, say)
		want[c], got[c] = map[string]int{token: 1, "": 1}, map[string]int{}
	}
	seen := map[string]string{}
	for len(seen) < 2*rounds { // of several partitions: in any order, and a fact can be published again
		o := <-sent
		if handle, again := seen[o.MessageID]; again {
			if handle != o.ReplyHandle {
				t.Errorf("message %s has the handle %q, and again %q", o.MessageID, handle, o.ReplyHandle)
			}
			continue
		}
		seen[o.MessageID] = o.ReplyHandle
		got[o.ConversationID][o.ReplyHandle]++
		if o.ReplyHandle != "" && o.ReplyUntil != until {
			t.Errorf("the handle is taken until %s, want %s", o.ReplyUntil, until)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("handles of two messages each\n%s", diff)
	}
}
