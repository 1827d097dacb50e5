// Package feed is what agent apps hear: thin events, derived from the record's facts as they are published, and the hub that
// hands them to browsers with resume over several replicas.
package feed

import (
	"context"
	"encoding/json"

	fastjson "github.com/go-json-experiment/json/v1"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Fanout publishes facts together with the thin events that follow from them, in one call: what is told to services is told to
// people, in the same order, however often it is repeated.
type Fanout struct{ To store.Publisher }

// Publish implements store.Publisher.
func (f Fanout) Publish(ctx context.Context, recs ...event.Record) error {
	out := make([]event.Record, 0, 2*len(recs))
	for _, r := range recs {
		out = append(out, r)
		if r.Topic == event.TopicConversations {
			if thin, ok := derive(r.Event); ok {
				out = append(out, thin)
			}
		}
	}
	return f.To.Publish(ctx, out...)
}

// notice is the data of a thin event: enough to know whether to look, not what was said.
type notice struct {
	ConversationID string      `json:"conversation_id,omitempty"`
	ContactID      string      `json:"contact_id,omitempty"`
	MessageID      string      `json:"message_id,omitempty"`
	Seq            int64       `json:"seq,omitempty"`
	Kind           string      `json:"kind,omitempty"`
	ChannelID      string      `json:"channel_id,omitempty"`
	What           string      `json:"what,omitempty"` // of an update: status, edit, reaction …; of a row: its type
	Direction      string      `json:"direction,omitempty"`
	Status         string      `json:"status,omitempty"` // of the message, or of the conversation
	AssigneeID     string      `json:"assignee_id,omitempty"`
	QueueID        string      `json:"queue_id,omitempty"`
	By             event.Actor `json:"by"`
	At             event.Time  `json:"at"`
}

func derive(e event.Event) (event.Record, bool) {
	if e.Type == event.ConversationFollow {
		return event.Record{}, false // people see the conversation that follows
	}
	p, err := event.Decode[event.Conversation](e)
	if err != nil {
		return event.Record{}, false // our own payload; the consumers of the fact itself will say so
	}
	n := notice{
		ConversationID: p.ConversationID, ContactID: p.ContactID, Seq: p.Seq, Kind: p.Kind, ChannelID: p.ChannelID,
		AssigneeID: p.Holder.AgentID, QueueID: p.Holder.QueueID, By: p.By, At: p.At,
	}
	if p.Happened != nil {
		n.What = p.Happened.Type
	}
	if p.Message != nil {
		var m struct {
			ID        string `json:"_id"`
			Direction string `json:"direction"`
			Status    string `json:"status"`
		}
		if fastjson.Unmarshal(p.Message, &m) == nil {
			n.MessageID, n.Direction, n.Status = m.ID, m.Direction, m.Status
		}
	}
	if n.Status == "" {
		n.Status = p.Holder.State
	}
	s := event.Stream{
		Type: string(e.Type), ConversationID: p.ConversationID, ContactID: p.ContactID, Assignee: p.Holder.AgentID,
		QueueID: p.Holder.QueueID, OUID: p.OUID, Data: mustJSON(n),
	}
	s.Was, s.WasQueue = was(p)
	id := event.DeriveID("evt", e.ID, "stream")
	return event.Record{Topic: event.TopicStream, Key: e.Tenant, Event: event.New(id, event.StreamEvent, record.Source, e.Tenant, e.Subject, e.Time, s)}, true
}

// was is who had it before an assignment: whoever loses sight of the conversation is told.
func was(p event.Conversation) (assignee, queue string) {
	if p.Happened == nil || p.Happened.Category != "assignment" {
		return "", ""
	}
	var d struct {
		Was      string `json:"was"`
		WasQueue string `json:"was_queue"`
	}
	_ = json.Unmarshal(p.Happened.Data, &d) // no such field: nobody loses sight
	return d.Was, d.WasQueue
}

func mustJSON(v any) json.RawMessage {
	b, err := fastjson.Marshal(v)
	if err != nil {
		panic(err) // our own structs always marshal
	}
	return b
}
