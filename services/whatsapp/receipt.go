package whatsapp

import (
	"cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// statuses are Meta's words for what became of a message. A voice message that was played was read.
var statuses = map[string]event.DeliveryStatus{
	"sent": event.Sent, "delivered": event.Delivered, "read": event.Read, "played": event.Read, "failed": event.Failed,
}

// status reads one receipt. It may concern a message that we never sent: sends of another client of the number come too.
func (r *reader) status(it channel.Item[status], contacts []contact) {
	s := it.V
	got, ok := statuses[s.Status]
	if !ok || s.ID == "" {
		r.out.Ignore("status", s.Status)
		return
	}
	who := somebody(s.Recipient, s.RecipientUser, s.RecipientParent)
	participant := cmp.Or(s.ParticipantUser, s.ParticipantNumber)
	ref := string(s.ID) + ":" + s.Status
	if s.RecipientType == "group" {
		who = person{peer: string(s.Recipient)}
		ref += ":" + string(participant)
	} else if who.peer != "" {
		who = who.known(contacts)
	}
	e := event.Inbound{Type: event.ReceiptReceived, Ref: ref, ExternalID: string(s.ID), Peer: who.peer, Aliases: who.aliases,
		ProviderAt: s.Timestamp.Time(),
		Receipt:    &event.Receipt{Status: got, Participant: string(participant), ClientRef: s.ClientRef, Billing: s.Pricing.Category}}
	if got == event.Failed {
		e.Receipt.Error = failure(s.Errors)
	}
	r.add(e)
}

// failure puts the first error into our words.
func failure(errs []meta.Problem) *event.Error {
	if len(errs) == 0 {
		return nil
	}
	p := errs[0]
	c := classes.Of(p)
	return &event.Error{Kind: c.Kind.String(), Code: c.Code, ProviderCode: string(p.Code), Title: cmp.Or(p.Title, p.Message),
		Detail: p.Data.Details, Retryable: c.Kind.Retryable()}
}
