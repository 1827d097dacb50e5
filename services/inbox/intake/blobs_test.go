package intake_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// newFiles is a world with a ledger of files of its own: its collector meets no other's.
func newFiles(t *testing.T) *world {
	w := newWorld(t, `{}`)
	var err error
	w.blobs, err = blob.Open(t.Context(), "mem://", storetest.New(t, blob.Specs...), w.now)
	w.must(err)
	t.Cleanup(func() { _ = w.blobs.Close() })
	w.Intake.Blobs = w.blobs
	return w
}

// kept puts a file as a channel's service does.
func (w *world) kept(content string) string {
	w.Helper()
	key, _, _, _, err := w.blobs.Put(w.Context(), w.id, strings.NewReader(content), 1000)
	w.must(err)
	return key
}

// left reports whether a file is there after the collector has run several times, much later than anything in transit.
func (w *world) left(key string) bool {
	w.Helper()
	for range 3 {
		w.pass(2 * blob.InTransit)
		w.must(w.blobs.Collect(w.Context(), w.Record.RefersTo))
	}
	r, _, err := w.blobs.Open(w.Context(), w.id, key)
	if fault.Is(err, fault.Gone) {
		return false
	}
	w.must(err)
	w.must(r.Close())
	return true
}

func image(id, key string) event.Attachment {
	return event.Attachment{ID: id, Type: event.Image, State: event.Ready, Blob: key}
}

func TestFilesLiveAsLongAsTheirMessages(t *testing.T) {
	t.Parallel()
	for name, arrive := range map[string]func(w *world, key string) event.Inbound{
		"in the message": func(w *world, key string) event.Inbound {
			in := w.text("p", "x")
			in.Content.Attachments = []event.Attachment{image(w.id+"att", key)}
			w.take(in)
			w.must(w.attached(in, in.Content.Attachments[0]))
			return in
		},
		"after the message": func(w *world, key string) event.Inbound {
			in := w.text("p", "x")
			in.Content.Attachments = []event.Attachment{{ID: w.id + "att", Type: event.Image, State: event.Pending}}
			w.take(in)
			w.must(w.attached(in, image(w.id+"att", key)))
			return in
		},
		"before the message": func(w *world, key string) event.Inbound {
			in := w.text("p", "x")
			in.Content.Attachments = []event.Attachment{{ID: w.id + "att", Type: event.Image, State: event.Pending}}
			w.must(w.attached(in, image(w.id+"att", key)))
			w.take(in)
			return in
		},
		"the provider's object": func(w *world, key string) event.Inbound {
			in := w.text("p", "x")
			in.Content.Raw = []byte(`{"blob":"` + key + `"}`)
			w.take(in)
			return in
		},
		"of the provider's own app": func(w *world, key string) event.Inbound {
			in := w.on(event.MessageEchoed, func(in *event.Inbound) {
				in.ExternalID, in.Content = "x"+in.Ref, &event.Content{Type: event.Image, Attachments: []event.Attachment{image(w.id+"att", key)}}
			})
			w.take(in)
			return in
		},
		"with an edit": func(w *world, key string) event.Inbound {
			in := w.text("p", "x")
			edit := w.edit(in.ExternalID, "y", w.at().Add(time.Second))
			edit.Content.Attachments = []event.Attachment{image(w.id+"att", key)}
			w.take(in, edit)
			return in
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFiles(t)
			key, unused := w.kept("of a message"), w.kept("of none")
			in := arrive(w, key)
			if !w.left(key) {
				t.Fatal("a file that a message refers to was deleted")
			}
			if w.left(unused) {
				t.Error("a file that nothing refers to was kept")
			}
			w.take(w.on(event.MessageDeleted, func(del *event.Inbound) { del.Target = in.ExternalID }))
			if _, err := w.Record.Files.Get(t.Context(), w.id+"att"); err == nil {
				t.Error("the file of a deleted message can be fetched")
			}
			if w.left(key) {
				t.Error("a file was kept after its last message was deleted")
			}
		})
	}
}

func TestAFileOfTwoMessagesOutlivesOne(t *testing.T) {
	t.Parallel()
	w := newFiles(t)
	key := w.kept("of both")
	one, two := w.text("p", "1"), w.text("q", "2")
	one.Content.Attachments, two.Content.Attachments = []event.Attachment{image(w.id+"att1", key)}, []event.Attachment{image(w.id+"att2", key)}
	w.take(one, two)
	w.take(w.on(event.MessageDeleted, func(del *event.Inbound) { del.Target = one.ExternalID }))
	if !w.left(key) {
		t.Error("deleted with the first of two messages")
	}
}

func TestAMessageThatComesAfterItsFileWasCollectedIsTaken(t *testing.T) {
	t.Parallel()
	w := newFiles(t)
	key := w.kept("late")
	in := w.text("p", "late")
	in.Content.Attachments = []event.Attachment{image(w.id+"att", key)}
	if w.left(key) {
		t.Fatal("kept without a reference")
	}
	w.take(in)
	if m := w.message(in); m.Content.Text != "late" {
		t.Errorf("%+v", m.Content)
	}
}
