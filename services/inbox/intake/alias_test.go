package intake_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

func (w *world) from(text string, ids ...string) event.Inbound {
	in := w.text(ids[0], text)
	in.Aliases = ids[1:]
	return in
}

func TestAnEventWithTwoIDsLinksThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	phone, both, id, flipped := w.from("1", "+44"), w.from("2", "+44", "bsuid"), w.from("3", "bsuid"), w.from("4", "bsuid", "+44")
	w.take(phone, both, id, flipped)
	c := w.conversationOf(phone)
	for _, in := range []event.Inbound{both, id, flipped} {
		if w.conversationOf(in).ID != c.ID {
			t.Errorf("message %s went elsewhere", in.Content.Text)
		}
	}
	th := w.thread("+44")
	if th.Peer != "+44" || !slices.Contains(th.Aliases, "bsuid") {
		t.Errorf("thread %+v", th)
	}
}

func TestTwoKnownThreadsBecomeOneOnceTheYoungerIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	old := w.from("old", "+44")
	w.take(old)
	w.pass(time.Second)
	young := w.from("young", "bsuid")
	w.take(young)
	w.take(w.from("both", "+44", "bsuid"), w.from("still apart", "bsuid"))
	if w.conversationOf(old).ID == w.conversationOf(young).ID {
		t.Fatal("two open conversations cannot be one")
	}
	w.close(w.conversationOf(young))
	both := w.from("both again", "bsuid", "+44")
	w.take(both)
	one := w.from("one now", "bsuid")
	w.take(one, young) // what is in already is found, wherever it went
	if w.conversationOf(both).ID != w.conversationOf(old).ID || w.conversationOf(one).ID != w.conversationOf(old).ID {
		t.Error("the younger thread does not go on in the older")
	}
	if c := w.conversationOf(young); c.Into == "" || c.Status != record.Closed || c.Next != "" || c.Inbound != 2 {
		t.Errorf("the younger thread's end is %+v", c)
	}
	if err := w.conversationOf(young).Reopen(agent, "user", w.at()); err == nil {
		t.Error("what goes on elsewhere was reopened")
	}
}

func TestP5_LinkedFromBothSidesAtOnceThreadsDoNotTurnInCircles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	a, b := w.from("a", "a"), w.from("b", "b")
	w.take(a, b)
	w.close(w.conversationOf(a))
	w.close(w.conversationOf(b))
	ab, ba := w.from("ab", "a", "b"), w.from("ba", "b", "a")
	var wg sync.WaitGroup
	for _, in := range []event.Inbound{ab, ba, ab, ba} {
		wg.Go(func() {
			if err := w.Handle(t.Context(), w.record(in)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	last := w.from("last", "a", "b")
	w.take(last)
	if x, y := w.conversationOf(ab), w.conversationOf(ba); x.ID != y.ID || w.conversationOf(last).ID != x.ID {
		t.Errorf("ab went to %s, ba to %s", x.ThreadID, y.ThreadID)
	}
}

func TestAChangeOfIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	before := w.from("before", "old")
	changed := w.on(event.ContactIdentified, func(in *event.Inbound) {
		in.Peer, in.Identity = "old", &event.Identity{Old: []string{"old"}, New: []string{"new"}, Reason: "user_changed_number"}
	})
	w.take(before, changed)
	after := w.from("after", "new")
	w.take(after, changed, before)
	c := w.conversationOf(before)
	if w.conversationOf(after).ID != c.ID {
		t.Error("the new id leads elsewhere")
	}
	if c = w.conversationOf(before); c.Peer != "new" || slices.Contains(c.Aliases, "old") {
		t.Errorf("we would write to %s, also known as %v", c.Peer, c.Aliases)
	}
	stranger := w.from("hi", "old")
	w.take(stranger, changed)
	if w.conversationOf(stranger).ContactID == c.ContactID {
		t.Error("whoever got the old number is taken for the person who had it")
	}
	w.take(w.from("still me", "new"))
	if w.thread("new").ContactID != c.ContactID || w.thread("old").ContactID == c.ContactID {
		t.Error("a repeat of the change linked what it had set free")
	}
	if n, _ := w.rows(c.ContactID, "identity_changed"); n != 1 {
		t.Errorf("%d rows of the change", n)
	}
}

func TestIDsThatAreRetiredLeadToNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	before := w.from("before", "old", "bsuid")
	retired := w.on(event.ContactIdentified, func(in *event.Inbound) {
		in.Peer, in.Identity = "old", &event.Identity{Old: []string{"old"}, Reason: "deleted"}
	})
	stranger := w.from("hi", "old")
	w.take(before, retired, stranger, retired)
	if w.conversationOf(stranger).ID == w.conversationOf(before).ID || w.thread("bsuid").ContactID != w.conversationOf(before).ContactID {
		t.Error("only the retired id is free")
	}
	unknown := w.on(event.ContactIdentified, func(in *event.Inbound) {
		in.Peer, in.Identity = "x", &event.Identity{Old: []string{"x"}, New: []string{"y"}}
	})
	w.take(unknown)
}
