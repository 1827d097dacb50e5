package send

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
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

// action is what the attempt does to a message that is there; empty if it sends one.
func (p part) action() event.ActionKind {
	if p.msg.Action == nil {
		return ""
	}
	return p.msg.Action.Kind
}

// result is the word about a part, as deliverystatus hears it. Its id is derived from what it says: said twice it is one.
func (w *Worker) result(p part, o outcome) event.Record {
	now := event.At(w.Now())
	id := event.DeriveID("evt", p.tenant, p.msg.AttemptID, strconv.Itoa(p.n), string(event.SendSettled), string(o.status), code(o.err))
	return event.Record{Topic: event.TopicReceipts, Key: event.Key(p.msg.ChannelID, p.msg.Peer), Event: event.New(id, event.SendSettled, w.Source, p.tenant, p.msg.AttemptID, now, event.SendResult{
		AttemptID: p.msg.AttemptID, MessageID: p.msg.MessageID, ConversationID: p.msg.ConversationID, ThreadID: p.msg.ThreadID, Attempt: p.msg.Attempt,
		ChannelID: p.msg.ChannelID, ChannelType: p.msg.ChannelType, Peer: p.msg.Peer, Part: p.n, Parts: p.of, Skipped: p.skipped(),
		ExternalIDs: o.refs, Status: o.status, Error: o.err, Action: p.action(), At: now,
	})}
}

// records are the result, and what else the provider's answer shows of the recipient: other ids, or that nothing reaches them.
func (w *Worker) records(p part, o outcome) []event.Record {
	recs := []event.Record{w.result(p, o)}
	if e, ok := identified(p.msg, o); ok {
		recs = append(recs, w.reported(p, e))
	}
	if state := unreachable[code(o.err)]; state != "" && o.state == Failed {
		recs = append(recs, w.reported(p, event.Inbound{
			Type: event.ContactMembership, Ref: "send:" + p.msg.AttemptID + ":" + strconv.Itoa(p.n), Peer: p.msg.Peer,
			ProviderAt: event.At(w.Now()), Membership: &event.Membership{State: state},
		}))
	}
	return recs
}

// unreachable are the refusals that say how the recipient stands to the account, as a membership.
var unreachable = map[string]string{channel.CodeRecipientBlocked: "blocked", channel.CodeRecipientGone: "gone"}

// identified says that the recipient has ids that the message did not name. It frees none of the known ones: a number that the
// provider spells otherwise is still the recipient's.
func identified(msg event.Outbound, o outcome) (event.Inbound, bool) {
	known := append([]string{"", msg.Peer}, msg.Aliases...)
	var fresh []string
	for _, id := range append([]string{o.peer}, o.aliases...) {
		if !slices.Contains(known, id) && !slices.Contains(fresh, id) {
			fresh = append(fresh, id)
		}
	}
	peer := cmp.Or(o.peer, msg.Peer)
	others := slices.DeleteFunc(append([]string{msg.Peer}, fresh...), func(id string) bool { return id == peer })
	return event.Inbound{
		Type: event.ContactIdentified, Ref: "canonical:" + msg.Peer + ">" + strings.Join(fresh, ","), Peer: peer, Aliases: others,
		Identity: &event.Identity{Old: []string{}, New: fresh, Reason: "send_answer"},
	}, len(fresh) > 0
}

// reported is an event of the recipient, as if the provider had reported it.
func (w *Worker) reported(p part, e event.Inbound) event.Record {
	now := event.At(w.Now())
	e.ChannelID, e.ChannelType, e.ReceivedAt, e.Post = p.msg.ChannelID, p.msg.ChannelType, now, p.msg.Post
	id := event.DeriveID("evt", p.tenant, p.msg.ChannelID, string(e.Type), e.Ref)
	return event.Record{Topic: event.TopicInbound, Key: event.Key(p.msg.ChannelID, p.msg.Peer),
		Event: event.New(id, e.Type, w.Source, p.tenant, p.msg.ChannelID, now, e)}
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
