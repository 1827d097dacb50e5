package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// seen is a contact as people see it.
func (w *world) seen(peer string) string {
	w.Helper()
	th := w.find(peer)
	if th == nil {
		return "nobody"
	}
	c := got[*record.Contact](w)(w.Record.Contacts.Get(w.Context(), th.ContactID))
	i := c.Identities[0]
	return strings.TrimSpace(fmt.Sprintf("%s %s [%s %s] %s", c.Display(), c.Phone, i.Peer, i.Username, i.Unreachable))
}

// find returns the thread that an id leads to, and changes nothing.
func (w *world) find(peer string) *record.Thread {
	w.Helper()
	return got[*record.Thread](w)(w.Record.Find(w.Context(), record.Person{Tenant: w.id, ChannelID: w.channel, Peer: peer}))
}

func (w *world) says(peer, name, phone string) event.Inbound {
	in := w.text(peer, "x")
	in.Sender = &event.Profile{Name: name, Phone: phone}
	return in
}

func (w *world) inGroup(peer, author, subject string) event.Inbound {
	in := w.text(peer, "x")
	in.Sender = &event.Profile{Name: author, Phone: "+499", Author: "499"}
	if subject != "" {
		in.Profile = &event.Profile{Name: subject, Group: true}
	}
	return in
}

func (w *world) identified(peer string, old, fresh []string, phone string) event.Inbound {
	return w.on(event.ContactIdentified, func(in *event.Inbound) {
		in.Peer, in.Aliases, in.Identity = peer, append(append([]string{}, old...), fresh...), &event.Identity{Old: old, New: fresh}
		if phone != "" {
			in.Profile = &event.Profile{Phone: phone}
		}
	})
}

func (w *world) membership(peer, state string) event.Inbound {
	return w.on(event.ContactMembership, func(in *event.Inbound) {
		in.Peer, in.Membership, in.ProviderAt = peer, &event.Membership{State: state}, w.at()
	})
}

func TestPeopleAreKnownByWhatIsSaidOfThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events func(w *world) []event.Inbound
		want   map[string]string // peer → as people see it
	}{
		"a group is named by its subject": {
			func(w *world) []event.Inbound {
				return []event.Inbound{w.inGroup("GRP", "Ann", "School IT"), w.inGroup("GRP", "Ben", "School IT & Co")}
			}, map[string]string{"GRP": "School IT & Co  [GRP ]"},
		},
		"a group without a subject has no member's name or number": {
			func(w *world) []event.Inbound {
				return []event.Inbound{w.inGroup("GRP", "Ann", ""), w.inGroup("GRP", "Ben", "")}
			},
			map[string]string{"GRP": "GRP  [GRP ]"},
		},
		"a number that was changed, and a stranger under the old one": {
			func(w *world) []event.Inbound {
				return []event.Inbound{
					w.says("491", "Mo", "+491"), w.identified("491", []string{"491"}, []string{"492"}, "+492"), w.says("492", "Mo", "+492"),
					w.says("491", "Stranger", "+491"),
				}
			}, map[string]string{"492": "Mo +492 [492 ]", "491": "Stranger +491 [491 ]"},
		},
		"a number that was given up for a user id": {
			func(w *world) []event.Inbound {
				return []event.Inbound{w.says("491", "Mo", "+491"), w.identified("491", []string{"491"}, []string{"DE.7"}, "")}
			}, map[string]string{"DE.7": "Mo  [DE.7 ]"},
		},
		"the contact of an echo": {
			func(w *world) []event.Inbound {
				return []event.Inbound{w.on(event.MessageEchoed, func(in *event.Inbound) {
					in.Peer, in.ExternalID, in.Content = "491", "x1", &event.Content{Type: event.Text, Text: "from our phone"}
					in.Profile = &event.Profile{Name: "Mo", Phone: "+491"}
				})}
			}, map[string]string{"491": "Mo +491 [491 ]"},
		},
		"who has only a username": {
			func(w *world) []event.Inbound {
				in := w.text("803", "x")
				in.Sender = &event.Profile{Username: "zed"}
				return []event.Inbound{in}
			}, map[string]string{"803": "@zed  [803 zed]"},
		},
		"the own card, and somebody else's": {
			func(w *world) []event.Inbound {
				in := w.says("803", "Mo", "")
				in.Content.Contacts = []event.Card{{Name: "Ann", Phones: []string{"+498"}}, {Name: "Mo", Phones: []string{"030 12"}, Own: true},
					{Name: "Mo", Phones: []string{"+49 1-5"}, Own: true}}
				return []event.Inbound{in}
			}, map[string]string{"803": "Mo +4915 [803 ]"},
		},
		"other ids of somebody known": {
			func(w *world) []event.Inbound {
				return []event.Inbound{w.says("491", "Mo", ""), w.identified("491", nil, []string{"DE.7"}, ""), w.says("DE.7", "Mo K.", "")}
			}, map[string]string{"491": "Mo K.  [DE.7 ]", "DE.7": "Mo K.  [DE.7 ]"},
		},
		"blocked, and a member of a group who leaves": {
			func(w *world) []event.Inbound {
				left := w.membership("GRP", "left")
				left.Sender = &event.Profile{Name: "Ann", Author: "499"}
				return []event.Inbound{w.says("803", "Mo", ""), w.membership("803", "blocked"), w.inGroup("GRP", "Ann", "IT"), left}
			}, map[string]string{"803": "Mo  [803 ] blocked", "GRP": "IT  [GRP ]"},
		},
		"who writes again can be written to": {
			func(w *world) []event.Inbound {
				gone := w.membership("803", "gone")
				w.pass(time.Second)
				return []event.Inbound{gone, w.says("803", "Mo", "")}
			}, map[string]string{"803": "Mo  [803 ]"},
		},
	} {
		w := newWorld(t, `{}`)
		events := c.events(w)
		w.take(events...)
		w.take(events[len(events)-1])
		for peer, want := range c.want {
			if got := w.seen(peer); got != want {
				t.Errorf("%s: %s is %q, want %q", name, peer, got, want)
			}
		}
	}
}

// Ids that belong to no thread are no reason to make one.
func TestIDsOfNobodyKnownMakeNoThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	w.take(w.identified("491", nil, []string{"DE.7"}, ""))
	if w.find("491") != nil || w.find("DE.7") != nil {
		t.Error("a thread was made")
	}
}

// made makes a channel of the tenant for an account of the provider, and lets the events that follow come by it.
func (w *world) made(id, account string) {
	w.Helper()
	ch := &directory.Channel{Type: event.WhatsApp, Name: id, Enabled: true, Version: 1, Settings: channel.Settings{"number": account}}
	ch.ID, ch.Tenant = id, w.id
	w.must(w.configured.Insert(w.Context(), ch))
	w.channel = id
}

func TestAChannelThatIsMadeAgainFindsItsPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	first, again, other := w.channel+"_1", w.channel+"_2", w.channel+"_3"
	contactOf := func(peer string) string { return w.find(peer).ContactID }
	w.made(first, "1001")
	w.take(w.says("491", "Mo", "+491"), w.says("493", "Ann", "+493"), w.identified("493", []string{"493"}, []string{"494"}, "+494"))
	mo, ann := contactOf("491"), contactOf("494")
	w.made(again, "1001")
	w.pass(time.Second)
	w.take(w.says("491", "Mo K.", "+491"), w.says("494", "Ann", "+494"), w.says("493", "Stranger", "+493"))
	if contactOf("491") != mo || contactOf("494") != ann || contactOf("493") == ann {
		t.Errorf("491 is %s, was %s; 494 is %s, was %s; 493 is %s", contactOf("491"), mo, contactOf("494"), ann, contactOf("493"))
	}
	c := got[*record.Contact](w)(w.Record.Contacts.Get(t.Context(), mo))
	if len(c.Identities) != 2 || c.Identities[0].ChannelID != first || c.Identities[1].ChannelID != again || c.Name != "Mo K." {
		t.Errorf("%s %+v", c.Name, c.Identities)
	}
	w.made(other, "1002")
	w.take(w.says("491", "Mo", "+491"))
	if contactOf("491") == mo {
		t.Error("another account's channel has the same contact")
	}
}

// Threads that were begun before accounts were noted learn theirs with the next event.
func TestAThreadOfAnEarlierVersionLearnsItsAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	w.made(w.channel+"_1", "1001")
	w.take(w.says("491", "Mo", "+491"))
	th := w.find("491")
	w.must(w.Record.Known.Delete(t.Context(), event.DeriveID("knw", w.id, "whatsapp", th.Account, "491")))
	got[*record.Thread](w)(w.Record.Threads.Update(t.Context(), th.ID, func(t *record.Thread) error { t.Account = ""; return nil }))
	w.take(w.says("491", "Mo", "+491"))
	w.made(w.channel+"_2", "1001")
	w.take(w.says("491", "Mo", "+491"))
	if w.find("491").ContactID != th.ContactID {
		t.Error("the person is not known")
	}
}

func TestAnEditOfAMessageThatNeverCameIsThatMessage(t *testing.T) {
	t.Parallel()
	w := newWorldAlone(t, `{}`)
	edit := w.on(event.MessageEdited, func(in *event.Inbound) {
		in.Target, in.Content, in.Sender = "x77", &event.Content{Type: event.Text, Text: "at eleven"}, &event.Profile{Name: "Mo"}
	})
	ours := w.on(event.MessageEdited, func(in *event.Inbound) {
		in.Target, in.Content, in.Echo = "x78", &event.Content{Type: event.Text, Text: "we said"}, true
	})
	late := w.text("p", "at ten")
	editOfLate := w.on(event.MessageEdited, func(in *event.Inbound) {
		in.Target, in.Content = late.ExternalID, &event.Content{Type: event.Text, Text: "at twelve"}
	})
	w.take(edit, ours, editOfLate, late)
	w.must(w.Due(t.Context()))
	if m := got[*record.Message](w)(w.Record.ByExternalID(t.Context(), w.id, w.channel, "x77")); m != nil {
		t.Error("it did not wait for its message")
	}
	w.pass(time.Minute + time.Second)
	for range 2 {
		w.must(w.Due(t.Context()))
	}
	for id, want := range map[string]string{"x77": "inbound at eleven", "x78": "outbound we said", late.ExternalID: "inbound at twelve"} {
		w.must(w.Record.Applier.Flush(t.Context()))
		m := got[*record.Message](w)(w.Record.ByExternalID(t.Context(), w.id, w.channel, id))
		if m == nil || m.Direction+" "+m.Content.Text != want || m.EditedAt.IsZero() {
			t.Errorf("%s: got %+v, want %s, edited", id, m, want)
		}
	}
	original := w.text("p", "at ten")
	original.Ref, original.ExternalID = "x77", "x77"
	w.take(original) // so late that the edit stands in for it
	if m := got[*record.Message](w)(w.Record.ByExternalID(t.Context(), w.id, w.channel, "x77")); m.Content.Text != "at eleven" {
		t.Errorf("the message is %q", m.Content.Text)
	}
	if c := w.conversationOf(late); c.Inbound != 2 || w.parked() != 0 {
		t.Errorf("%d messages of the customer, %d events wait", c.Inbound, w.parked())
	}
}

func TestADeletedMessageIsNotUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	one, two, three := w.text("p", "1"), w.text("p", "2"), w.text("p", "3")
	w.take(one, two, three)
	gone := func(of event.Inbound) event.Inbound {
		return w.on(event.MessageDeleted, func(in *event.Inbound) { in.Target = of.ExternalID })
	}
	w.take(gone(two), gone(two), gone(one))
	c := w.conversationOf(one)
	for read, want := range []int64{1, 1, 1, 0} {
		if n := c.Unread(int64(read)); n != want {
			t.Errorf("after %d of 3 were read %d are unread, want %d", read, n, want)
		}
	}
}
