package send

import (
	"slices"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/event"
)

// part names what a result is about.
type part struct {
	tenant string
	msg    event.Outbound
	n, of  int
}

// skipped are the parts that the attempt leaves out.
func (p part) skipped() []int {
	if p.msg.Resume == nil {
		return nil
	}
	return p.msg.Resume.Skip
}

// result is the word about a part, as deliverystatus hears it. Its id is derived from what it says: said twice it is one.
func (w *Worker) result(p part, o outcome) event.Record {
	now := event.At(w.Now())
	id := event.DeriveID("evt", p.tenant, p.msg.AttemptID, strconv.Itoa(p.n), string(event.SendSettled), string(o.status), code(o.err))
	return event.Record{Topic: event.TopicReceipts, Key: event.Key(p.msg.ChannelID, p.msg.Peer), Event: event.New(id, event.SendSettled, w.Source, p.tenant, p.msg.AttemptID, now, event.SendResult{
		AttemptID: p.msg.AttemptID, MessageID: p.msg.MessageID, ConversationID: p.msg.ConversationID, ThreadID: p.msg.ThreadID, Attempt: p.msg.Attempt,
		ChannelID: p.msg.ChannelID, ChannelType: p.msg.ChannelType, Peer: p.msg.Peer, Part: p.n, Parts: p.of, Skipped: p.skipped(),
		ExternalIDs: o.refs, Status: o.status, Error: o.err, At: now,
	})}
}

// records are the result and what else the provider's answer told us: that it knows the recipient by another id.
func (w *Worker) records(p part, o outcome) []event.Record {
	recs := []event.Record{w.result(p, o)}
	if o.peer == "" || o.peer == p.msg.Peer || slices.Contains(p.msg.Aliases, o.peer) {
		return recs
	}
	now := event.At(w.Now())
	e := event.Inbound{
		Type: event.ContactIdentified, ChannelID: p.msg.ChannelID, ChannelType: p.msg.ChannelType, Ref: "canonical:" + p.msg.Peer + ">" + o.peer,
		Peer: p.msg.Peer, Aliases: []string{p.msg.Peer, o.peer}, ReceivedAt: now, Post: p.msg.Post,
		Identity: &event.Identity{Old: []string{p.msg.Peer}, New: []string{o.peer}, Reason: "canonical"},
	}
	id := event.DeriveID("evt", p.tenant, p.msg.ChannelID, string(e.Type), e.Ref)
	return append(recs, event.Record{Topic: event.TopicInbound, Key: event.Key(p.msg.ChannelID, p.msg.Peer),
		Event: event.New(id, e.Type, w.Source, p.tenant, p.msg.ChannelID, now, e)})
}

// emit makes the outcome the row's, and its result a fact of the same write (rules OUTCOME, FACT).
func (w *Worker) emit(r *Row, p part, o outcome) {
	r.end(o, w.Now())
	for _, rec := range w.records(p, o) {
		r.Emit(rec.Topic, rec.Key, rec.Event)
	}
}

func code(e *event.Error) string {
	if e == nil {
		return ""
	}
	return e.Code
}
