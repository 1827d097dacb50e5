package record

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	fastjson "github.com/go-json-experiment/json/v1"
	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Store is the inbox's collections, with the rules of what a change of one implies in another.
type Store struct {
	Aliases       *store.Collection[Alias]
	Threads       *store.Collection[Thread]
	Conversations *store.Collection[Conversation]
	Messages      *store.Collection[Message]
	Rows          *store.Collection[Row]
	Contacts      *store.Collection[Contact]
	Known         *store.Collection[Known]
	Members       *store.Collection[Member]
	Reads         *store.Collection[Read]
	Parked        *store.Collection[Parked]
	Files         *store.Collection[File]
	Openings      *store.Collection[Opening]
	Placements    *store.Collection[Placement]
	Decisions     *store.Collection[Decision]
	Applier       *store.Applier
}

// New opens the collections; facts go to p.
func New(db store.DB, p store.Publisher, log *slog.Logger) *Store {
	a := store.NewApplier(db, p, log)
	return &Store{
		Aliases:       store.NewCollection[Alias](db, AliasSpec),
		Threads:       store.NewCollection[Thread](db, ThreadSpec),
		Conversations: store.NewCollection[Conversation](db, ConversationSpec, store.Facts(a), store.Records(implied), store.Recall()),
		Messages:      store.NewCollection[Message](db, MessageSpec, store.Facts(a)),
		Rows:          store.NewCollection[Row](db, EventSpec),
		Contacts:      store.NewCollection[Contact](db, ContactSpec, store.Facts(a), store.Records(rows)),
		Known:         store.NewCollection[Known](db, KnownSpec),
		Members:       store.NewCollection[Member](db, MemberSpec),
		Reads:         store.NewCollection[Read](db, ReadSpec, store.Facts(a)),
		Parked:        store.NewCollection[Parked](db, ParkedSpec),
		Files:         store.NewCollection[File](db, FileSpec),
		Openings:      store.NewCollection[Opening](db, OpeningSpec),
		Placements:    store.NewCollection[Placement](db, PlacementSpec),
		Decisions:     store.NewCollection[Decision](db, DecisionSpec),
		Applier:       a,
	}
}

// implied tells which records a fact of a conversation implies: the message, the row of the timeline, the conversation that
// follows. The last one is inserted in order only: it must not be seen open before this one is seen closed.
func implied(f store.Fact) ([]store.Implied, error) {
	if f.Topic != event.TopicConversations {
		return nil, nil
	}
	switch f.Event.Type {
	case event.MessageCreated:
		return record(MessageSpec.Name, f, "message", false)
	case event.ConversationFollow:
		return record(ConversationSpec.Name, f, "carry", true)
	}
	return rows(f)
}

// record is a document that a fact carries whole, as one of its fields. It is cut out, not decoded: every message passes here.
func record(collection string, f store.Fact, field string, inOrder bool) ([]store.Implied, error) {
	doc := gjson.GetBytes(f.Event.Data, field)
	id := doc.Get("_id").Str
	if id == "" {
		return nil, fmt.Errorf("%s of event %s has no id", field, f.Event.ID)
	}
	return []store.Implied{{Collection: collection, ID: id, JSON: json.RawMessage(doc.Raw), InOrder: inOrder}}, nil
}

// rows tells which row of the timeline a fact implies, of a conversation or a contact.
func rows(f store.Fact) ([]store.Implied, error) {
	p, err := event.Decode[event.Conversation](f.Event)
	if err != nil || p.Happened == nil {
		return nil, err
	}
	return row(f.Event.Tenant, p)
}

func row(tenant string, p event.Conversation) ([]store.Implied, error) {
	r := Row{
		ContactID: p.ContactID, ConversationID: p.ConversationID, ThreadID: p.ThreadID, Seq: p.Seq, Category: p.Happened.Category,
		Type: p.Happened.Type, Actor: p.By, Reference: p.Happened.Reference, Data: p.Happened.Data, At: p.At,
	}
	r.ID, r.Tenant = p.Happened.ID, tenant
	b, err := fastjson.Marshal(&r)
	if err != nil {
		return nil, err
	}
	return []store.Implied{{Collection: EventSpec.Name, ID: r.ID, JSON: b}}, nil
}

// Exists reports whether a message is in already. It is asked inside the Update, after the read, on every try.
func (r *Store) Exists(ctx context.Context, c *Conversation, id string) (bool, error) {
	absent, err := r.absent(ctx, c, id)
	return err == nil && !absent[id], err
}

// absent returns those messages that are not in yet: neither as a record, nor pending in the conversation's document as it was
// just read.
func (r *Store) absent(ctx context.Context, c *Conversation, ids ...string) (map[string]bool, error) {
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	for _, f := range c.Pending {
		if f.Event.Type == event.MessageCreated {
			delete(out, gjson.GetBytes(f.Event.Data, "message._id").Str)
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	stored, err := r.Messages.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, m := range stored {
		if m != nil {
			delete(out, m.ID)
		}
	}
	return out, nil
}
