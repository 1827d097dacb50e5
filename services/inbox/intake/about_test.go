package intake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

func (w *world) edit(target, text string, at event.Time) event.Inbound {
	return w.on(event.MessageEdited, func(in *event.Inbound) {
		in.Target, in.ProviderAt, in.Content = target, at, &event.Content{Type: event.Text, Text: text}
	})
}

func (w *world) reaction(target, emoji string, at event.Time) event.Inbound {
	return w.on(event.MessageReacted, func(in *event.Inbound) {
		in.Target, in.ProviderAt, in.Reaction = target, at, &event.Reaction{Target: target, Emoji: emoji}
	})
}

// Whatever order edits, reactions and the message come in, and however often, the newest of each stands in the end.
func TestP3_ChangesOfAMessageComeInAnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	rapid.Check(t, func(rt *rapid.T) {
		m := w.text("p", "first")
		at := func(s int) event.Time { return w.at().Add(-time.Hour + time.Duration(s)*time.Second) }
		target := m.ExternalID
		events := []event.Inbound{
			m, w.edit(target, "second", at(1)), w.edit(target, "third", at(2)),
			w.reaction(target, "👍", at(1)), w.reaction(target, "❤", at(2)), w.reaction(target, "", at(3)),
		}
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5}).Draw(rt, "order")
		repeats := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(rt, "repeats")
		for _, i := range append(order, repeats...) {
			if err := w.Handle(t.Context(), w.record(events[i])); err != nil {
				rt.Fatal(err)
			}
		}
		doc := w.message(m)
		if doc.Content.Text != "third" || doc.EditedAt != at(2) {
			rt.Errorf("the text is %q, edited %s", doc.Content.Text, doc.EditedAt)
		}
		if len(doc.Reactions) != 1 || doc.Reactions[0].Emoji != "" || doc.Reactions[0].At != at(3) {
			rt.Errorf("reactions %+v", doc.Reactions)
		}
	})
}

func TestChangesWithinOneTickOfTheProvidersClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	m := w.text("p", "first")
	one, two := w.reaction(m.ExternalID, "👍", w.at()), w.reaction(m.ExternalID, "❤", w.at())
	a, b := w.edit(m.ExternalID, "a", w.at()), w.edit(m.ExternalID, "b", w.at())
	w.take(m, one, two, a, b, one, a) // the last two are repeats, not news
	if doc := w.message(m); doc.Reactions[0].Emoji != "❤" || doc.Content.Text != "b" {
		t.Errorf("%+v %q", doc.Reactions, doc.Content.Text)
	}
}

func TestADeletedMessageStaysEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	m := w.text("p", "secret")
	m.Content.Attachments = []event.Attachment{{ID: w.id + "att_1", Type: event.Image, State: event.Pending}}
	del := w.on(event.MessageDeleted, func(in *event.Inbound) { in.Target = m.ExternalID })
	w.take(del, m, w.edit(m.ExternalID, "again", w.at().Add(time.Minute)))
	w.must(w.attached(m, event.Attachment{ID: w.id + "att_1", Type: event.Image, State: event.Ready, Blob: "b"}))
	doc := w.message(m)
	if diff := cmp.Diff(event.Content{Type: event.Text}, doc.Content); diff != "" || doc.DeletedAt.IsZero() {
		t.Errorf("deleted at %s: %s", doc.DeletedAt, diff)
	}
	if _, err := w.Record.Files.Get(t.Context(), w.id+"att_1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the file of a deleted message: %v", err)
	}
}

func TestAReactionToAMessageOfOursThatHasNoIDYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	in := w.text("p", "1")
	w.take(in)
	m := w.send(w.conversationOf(in), "answer")
	w.take(w.reaction("late", "👍", w.at()))
	w.sent(m, "late")
	if doc := got[*record.Message](w)(w.Record.Messages.Get(t.Context(), m.ID)); len(doc.Reactions) != 1 || w.parked() != 0 {
		t.Errorf("reactions %+v, %d still parked", doc.Reactions, w.parked())
	}
}

func TestReactionsOfAGroupAreByAuthor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	m := w.text("group", "1")
	a, b := w.reaction(m.ExternalID, "👍", w.at()), w.reaction(m.ExternalID, "❤", w.at())
	a.Sender, b.Sender = &event.Profile{Author: "a"}, &event.Profile{Author: "b"}
	w.take(m, a, b)
	if doc := w.message(m); len(doc.Reactions) != 2 || doc.Reactions[0].By != "a" || doc.Reactions[1].By != "b" {
		t.Errorf("%+v", doc.Reactions)
	}
}

func TestManyChangesWaitForOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	m := w.text("p", "1")
	for i := range 120 {
		r := w.reaction(m.ExternalID, "👍", w.at().Add(time.Duration(i)*time.Millisecond))
		r.Sender = &event.Profile{Author: r.Ref}
		w.must(w.Handle(t.Context(), w.record(r)))
	}
	w.take(m)
	if doc := w.message(m); len(doc.Reactions) != 120 {
		t.Errorf("%d reactions", len(doc.Reactions))
	}
}

func TestAttachmentsComeBeforeAndAfterTheirMessage(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		w := newWorld(t, `{}`)
		m := w.text("p", "")
		m.Content.Type = event.Image
		m.Content.Attachments = []event.Attachment{{ID: w.id + "att_1", Type: event.Image, State: event.Pending}, {ID: w.id + "att_2", Type: event.Image, State: event.Pending}}
		if !early {
			w.take(m)
		}
		for range 2 {
			w.must(w.attached(m, event.Attachment{ID: w.id + "att_1", Type: event.Image, MIME: "image/png", Size: 3, State: event.Ready, Blob: "acme/aa/aa"}))
			w.must(w.attached(m, event.Attachment{ID: w.id + "att_2", Type: event.Image, State: event.Lost, Error: &event.Error{Code: "media_gone"}}))
		}
		w.take(m)
		doc := w.message(m)
		if a := doc.Content.Attachments; a[0].State != event.Ready || a[1].State != event.Lost || a[1].Error.Code != "media_gone" {
			t.Errorf("early %v: %+v", early, a)
		}
		f := got[*record.File](w)(w.Record.Files.Get(t.Context(), w.id+"att_1"))
		if f.Blob != "acme/aa/aa" || !cmp.Equal(f.Conversations, []string{doc.ConversationID}) {
			t.Errorf("early %v: file %+v", early, f)
		}
		w.must(w.attached(m, event.Attachment{ID: w.id + "att_1", Type: event.Image, State: event.Lost}))
		if a := w.message(m).Content.Attachments[0]; a.State != event.Ready {
			t.Errorf("a file that is there became %s", a.State)
		}
	}
}

func TestWhatIsAnsweredIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	first, second, third := w.text("p", "which one?"), w.text("p", "this one"), w.text("p", "an old one")
	second.Content.ReplyTo = &event.Quote{ExternalID: first.ExternalID}
	third.Content.ReplyTo = &event.Quote{ExternalID: "forgotten"}
	w.take(first, second, third)
	if q := w.message(second).Content.ReplyTo; q.MessageID != w.message(first).ID || q.Excerpt != "which one?" {
		t.Errorf("quote %+v", q)
	}
	if q := w.message(third).Content.ReplyTo; q.MessageID != "" || q.ExternalID != "forgotten" {
		t.Errorf("quote %+v", q)
	}
}

func (w *world) echo(externalID, text string) event.Inbound {
	return w.on(event.MessageEchoed, func(in *event.Inbound) {
		in.ExternalID, in.Content = externalID, &event.Content{Type: event.Text, Text: text}
	})
}

func TestAnEchoOfAMessageWeKnowIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	in := w.text("p", "1")
	w.take(in)
	w.sent(w.send(w.conversationOf(in), "answer"), "known")
	e := w.echo("known", "answer")
	w.take(e)
	if _, err := w.Record.Messages.Get(t.Context(), record.MessageID(w.id, w.channel, e.Ref)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("our own message came back as another: %v", err)
	}
}

func TestAnEchoIsANativeMessageAtOnceIfNoSendWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	e := w.echo("echo", "from the phone")
	w.take(w.edit("echo", "edited on the phone", w.at().Add(time.Second)), e)
	m := w.message(e)
	if m.Direction != record.Out || m.Via.Kind != "echo" || m.Sender.Type != "native_app" || m.Status != event.Sent || m.Content.Text != "edited on the phone" {
		t.Errorf("%+v", m)
	}
	w.must(w.Record.Applier.Flush(t.Context()))
	for _, e := range w.log.Topic(event.TopicOutbound(event.WhatsApp)) {
		if e.Tenant == w.id {
			t.Error("what was sent by another client was sent again")
		}
	}
}

func TestAnEchoWaitsForTheSendThatItMayBe(t *testing.T) {
	t.Parallel()
	for _, ours := range []bool{true, false} {
		w := newWorldAlone(t, `{}`)
		in := w.text("p", "1")
		w.take(in)
		m := w.send(w.conversationOf(in), "answer")
		e := w.echo("echo", "answer")
		w.take(e)
		w.pass(59 * time.Second)
		w.must(w.Due(t.Context()))
		if w.parked() != 1 {
			t.Fatal("the echo does not wait")
		}
		if ours {
			w.sent(m, "echo")
		}
		w.pass(2 * time.Second)
		w.must(w.Due(t.Context()))
		w.must(w.Due(t.Context()))
		w.take(e)
		_, err := w.Record.Messages.Get(t.Context(), record.MessageID(w.id, w.channel, e.Ref))
		if native := err == nil; native == ours || w.parked() != 0 {
			t.Errorf("ours %v: native message %v, %d parked", ours, native, w.parked())
		}
	}
}
