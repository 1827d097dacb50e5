package record_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// inserting notes the conversations that are inserted.
type inserting struct {
	store.DB
	conversations []string
}

func (d *inserting) Batch(ctx context.Context, ops []store.Op) []error {
	for _, op := range ops {
		if op.Kind == store.Insert && op.Collection == record.ConversationSpec.Name {
			d.conversations = append(d.conversations, string(op.JSON))
		}
	}
	return d.DB.Batch(ctx, ops)
}

// A reader never sees a conversation without the message that opened it, and so without its window.
func TestP3_TheFirstMessageOpensItsConversationInOneCommit(t *testing.T) {
	t.Parallel()
	db := &inserting{DB: storetest.New(t, record.Specs...)}
	r := record.New(db, &storetest.Publisher{}, slog.New(slog.DiscardHandler))
	at := event.At(time.Now())
	person := record.Person{Tenant: "t1", ChannelID: "ch_1", ChannelType: event.WhatsApp, Peer: "ann"}
	thread, err := r.Thread(t.Context(), person, at)
	if err != nil {
		t.Fatal(err)
	}
	m := &record.Message{Direction: record.In, CreatedAt: at, Content: event.Content{Type: event.Text, Text: "x"}}
	m.ID, m.Tenant = "msg_1", "t1"
	for range 2 { // the second is a repeat
		c, err := r.Received(t.Context(), thread, record.Rules{}, m)
		if err != nil || c.Inbound != 1 || c.Seq != 2 {
			t.Fatalf("%+v %v", c, err)
		}
	}
	if len(db.conversations) != 1 || gjson.Get(db.conversations[0], "window.last_inbound_id").Str != "msg_1" {
		t.Errorf("inserted %v", db.conversations)
	}
}

// forgetful is a store that cannot read messages while it is away.
type forgetful struct {
	store.DB
	away bool
}

func (d *forgetful) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	if d.away && collection == record.MessageSpec.Name {
		return nil, store.Away(errors.New("the store is away"))
	}
	return d.DB.Get(ctx, collection, ids...)
}

// Whether a message is in already cannot be told while the store is away: that is trouble, and no repeat.
func TestP1_P3_AMessageIsNoRepeatBecauseTheStoreIsAway(t *testing.T) {
	t.Parallel()
	db := &forgetful{DB: storetest.New(t, record.Specs...)}
	r := record.New(db, &storetest.Publisher{}, slog.New(slog.DiscardHandler))
	at := event.At(time.Now())
	thread, err := r.Thread(t.Context(), record.Person{Tenant: "t1", ChannelID: "ch_1", ChannelType: event.WhatsApp, Peer: "ann"}, at)
	if err != nil {
		t.Fatal(err)
	}
	for n, id := range []string{"msg_first", "msg_second"} { // one that opens the conversation, one that finds it
		m := &record.Message{Direction: record.In, CreatedAt: at, Content: event.Content{Type: event.Text, Text: "x"}}
		m.ID, m.Tenant = id, "t1"
		db.away = true
		if _, err := r.Received(t.Context(), thread, record.Rules{}, m); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s, the store is away: %v", id, err)
		}
		if c, err := r.Conversations.Get(t.Context(), record.ConversationID("t1", "ch_1", thread.ID, 1)); err == nil {
			if there, err := r.Exists(t.Context(), c, id); there || err == nil {
				t.Errorf("%s is there %v, %v", id, there, err)
			}
		}
		db.away = false
		if c, err := r.Received(t.Context(), thread, record.Rules{}, m); err != nil || c.Inbound != int64(n+1) {
			t.Fatalf("%s: %+v %v", id, c, err)
		}
	}
}
