package intake_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// told is what a look-up says of a peer, or of a member of a group.
func (w *world) told(peer, author, name string) event.Inbound {
	return w.on(event.ContactIdentified, func(in *event.Inbound) {
		in.Peer, in.Identity, in.ProviderAt = peer, &event.Identity{Old: []string{}, New: []string{}, Reason: "profile"}, event.Time{}
		p := &event.Profile{Name: name, AvatarRef: "https://pictures.example/" + name, Author: author}
		if author != "" {
			in.Sender = p
		} else {
			in.Profile = p
		}
	})
}

func (w *world) writes(peer, author string) event.Inbound {
	in := w.text(peer, "x")
	if author != "" {
		in.Sender = &event.Profile{Author: author}
	}
	return in
}

func TestAProfileThatWasLookedUpNamesTheContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	w.take(w.writes("U1", ""), w.told("U1", "", "Taro"))
	c := w.contact("U1")
	if c.Name != "Taro" || c.AvatarURL != "https://pictures.example/Taro" || c.Identities[0].Display != "Taro" {
		t.Errorf("%+v", c)
	}
	if x := w.thread("U1").Traits; x.Name.Source != record.FromProvider || x.Avatar.Source != record.FromProvider {
		t.Errorf("%+v", x)
	}
	_, err := w.Record.Edit(t.Context(), c.ID, func(c *record.Contact) ([]string, error) {
		c.Name, c.AvatarURL = "Our Taro", "https://ours.example/taro"
		return []string{record.FieldName, record.FieldAvatar}, nil
	})
	w.must(err)
	w.pass(24 * time.Hour)
	w.take(w.told("U1", "", "Jiro"))
	if c := w.contact("U1"); c.Name != "Our Taro" || c.AvatarURL != "https://ours.example/taro" || c.Identities[0].Display != "Jiro" {
		t.Errorf("a person's edit was overwritten, or the provider's word is lost: %+v", c)
	}
	w.take(w.told("U2", "", "Nobody"))
	if th := w.find("U2"); th != nil {
		t.Errorf("a look-up of somebody unknown made the thread %+v", th)
	}
}

// A group is named by its subject and has no member's name; its messages have the names of their authors, also those that came before
// the name was known.
func TestMembersOfAGroupAreNamedByTheirMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	first, other, second, later := w.writes("C1", "U1"), w.writes("C1", "U2"), w.writes("C1", "U1"), w.writes("C1", "U1")
	elsewhere := w.writes("C2", "U1")
	w.take(first, other, second, w.told("C1", "", "Class 4b"), w.told("C1", "U1", "Taro"), later, elsewhere)
	if got := w.seen("C1"); got != "Class 4b  [C1 ]" {
		t.Errorf("the group is %q", got)
	}
	got := map[string]string{}
	for name, in := range map[string]event.Inbound{"first": first, "other": other, "second": second, "later": later, "elsewhere": elsewhere} {
		m := w.message(in)
		got[name] = m.Sender.Author + " " + m.Sender.Name
	}
	want := map[string]string{"first": "U1 Taro", "second": "U1 Taro", "later": "U1 Taro", "elsewhere": "U1 Taro", "other": "U2 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	updates := 0
	for _, e := range w.log.Topic(event.TopicConversations) {
		p, err := event.Decode[event.Conversation](e)
		w.must(err)
		if e.Type == event.MessageUpdated && p.Happened.Type == "sender" {
			updates++
		}
	}
	if updates != 2 {
		t.Errorf("%d messages were said to have a new name, want the two that came before it", updates)
	}
	w.take(w.told("C1", "U1", "Taro K."))
	if m := w.message(first); m.Sender.Name != "Taro" {
		t.Errorf("a message keeps the name that its author had: %q", m.Sender.Name)
	}
	after := w.writes("C1", "U1")
	if w.take(after); w.message(after).Sender.Name != "Taro K." {
		t.Errorf("the next one has %q", w.message(after).Sender.Name)
	}
}
