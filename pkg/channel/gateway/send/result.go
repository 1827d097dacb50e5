package send

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
)

// skipped are the parts that the attempt leaves out.
func (r rendering) skipped() []int {
	if r.source.Resume == nil {
		return nil
	}
	return r.source.Resume.Skip
}

// action is what the attempt does to a message that is there; empty if it sends one.
func (r rendering) action() event.ActionKind {
	if r.source.Action == nil {
		return ""
	}
	return r.source.Action.Kind
}

// Records implements dispatch.Calls: the result, and what else the provider's answer shows of the recipient: other ids, or that nothing
// reaches them.
func (m message) Records(part, of int, o dispatch.Outcome) []event.Record {
	recs := []event.Record{m.result(part, of, o)}
	if e, ok := identified(m.source, answer(o)); ok {
		recs = append(recs, m.reported(e))
	}
	if state := unreachable[o.Code()]; state != "" && o.State == dispatch.Failed {
		recs = append(recs, m.reported(event.Inbound{
			Type: event.ContactMembership, Ref: "send:" + m.source.AttemptID + ":" + strconv.Itoa(part), Peer: m.source.Peer,
			ProviderAt: event.At(m.Now()), Membership: &event.Membership{State: state},
		}))
	}
	return recs
}

// result is the word about a part, as deliverystatus hears it. Its id is derived from what it says: said twice it is one.
func (m message) result(part, of int, o dispatch.Outcome) event.Record {
	now, msg, status := event.At(m.Now()), m.source, status(o)
	id := event.DeriveID("evt", m.tenant, msg.AttemptID, strconv.Itoa(part), string(event.SendSettled), string(status), o.Code())
	return event.Record{Topic: event.TopicReceipts, Key: event.Key(msg.ChannelID, msg.Peer), Event: event.New(id, event.SendSettled, m.Source, m.tenant, msg.AttemptID, now, event.SendResult{
		AttemptID: msg.AttemptID, MessageID: msg.MessageID, ConversationID: msg.ConversationID, ThreadID: msg.ThreadID, Attempt: msg.Attempt,
		ChannelID: msg.ChannelID, ChannelType: msg.ChannelType, Peer: msg.Peer, Part: part, Parts: of, Skipped: m.skipped(),
		ExternalIDs: answer(o).Refs, Status: status, Error: o.Err, Action: m.action(), At: now,
	})}
}

// unreachable are the refusals that say how the recipient stands to the account, as a membership.
var unreachable = map[string]string{channel.CodeRecipientBlocked: "blocked", channel.CodeRecipientGone: "gone"}

// identified says that the recipient has ids that the message did not name. It frees none of the known ones: a number that the
// provider spells otherwise is still the recipient's.
func identified(msg event.Outbound, v provider.Verdict) (event.Inbound, bool) {
	known := append([]string{"", msg.Peer}, msg.Aliases...)
	var fresh []string
	for _, id := range append([]string{v.Peer}, v.Aliases...) {
		if !slices.Contains(known, id) && !slices.Contains(fresh, id) {
			fresh = append(fresh, id)
		}
	}
	peer := cmp.Or(v.Peer, msg.Peer)
	others := slices.DeleteFunc(append([]string{msg.Peer}, fresh...), func(id string) bool { return id == peer })
	return event.Inbound{
		Type: event.ContactIdentified, Ref: "canonical:" + msg.Peer + ">" + strings.Join(fresh, ","), Peer: peer, Aliases: others,
		Identity: &event.Identity{Old: []string{}, New: fresh, Reason: "send_answer"},
	}, len(fresh) > 0
}

// reported is an event of the recipient, as if the provider had reported it.
func (m message) reported(e event.Inbound) event.Record {
	now, msg := event.At(m.Now()), m.source
	e.ChannelID, e.ChannelType, e.ReceivedAt, e.Post = msg.ChannelID, msg.ChannelType, now, msg.Post
	id := event.DeriveID("evt", m.tenant, msg.ChannelID, string(e.Type), e.Ref)
	return event.Record{Topic: event.TopicInbound, Key: event.Key(msg.ChannelID, msg.Peer),
		Event: event.New(id, e.Type, m.Source, m.tenant, msg.ChannelID, now, e)}
}
