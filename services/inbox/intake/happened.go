package intake

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// happened handles what is no message: it becomes a row of the timeline.
func (i *Intake) happened(ctx context.Context, t *record.Thread, in event.Inbound, at event.Time) error {
	var err error
	h := record.Happening{By: event.Actor{Kind: "contact", ID: t.ContactID}, Ref: in.Ref, At: at, Reference: in.Referral, Opened: opens(in, at)}
	switch {
	case in.Type == event.ContactReferred:
		h.Category, h.Type = "channel", "referred"
	case in.Type == event.ContactMembership && in.Membership != nil:
		h.Category, h.Type, h.Data = "channel", in.Membership.State, in.Membership
	case in.Type == event.ContactConsented && in.Consent != nil:
		if in.Consent.Answer && t.Traits.OptedInAt != when(in, at) {
			return nil // it was the answer to a question
		}
		h.Category, h.Type, h.Data = "contact", "consent_changed", in.Consent
		if !ofMessages(in.Consent) {
			err = i.Record.Opt(ctx, t.ContactID, in.Consent.Value == "out", when(in, at))
		}
	case in.Type == event.ContactPageViewed:
		h.Category, h.Type, h.Data = "page", "page_changed", in.Page
	case in.Type == event.ThreadControlMoved:
		h.Control = &record.Control{Standby: in.Standby, Since: when(in, at)}
		h.Category, h.Type, h.Data, h.By = "channel", "thread_control", h.Control, event.Actor{Kind: "system"}
	default:
		return nil // a type of a newer version: nothing we could show
	}
	if err != nil {
		return err
	}
	return i.Record.Happened(ctx, t, h)
}

// identified handles a change of ids, other ids of somebody known, or a profile that was looked up. It makes no thread.
func (i *Intake) identified(ctx context.Context, p record.Person, in event.Inbound, at event.Time) error {
	if in.Identity == nil {
		return nil
	}
	if len(in.Identity.Old) > 0 {
		return i.Record.Renamed(ctx, p, in.Identity.Old, in.Identity.New, in.Ref, at, func(t *record.Thread) error {
			return i.Record.Happened(ctx, t, record.Happening{
				Category: "contact", Type: "identity_changed", By: event.Actor{Kind: "contact", ID: t.ContactID}, Data: in.Identity, Ref: in.Ref, At: at,
			})
		})
	}
	t, err := i.Record.Find(ctx, p)
	if err != nil || t == nil {
		return err
	}
	if t, err = i.Record.Thread(ctx, p, at); err != nil || in.Sender == nil || in.Sender.Author == "" || in.Sender.Name == "" {
		return err
	}
	return i.Record.Introduce(ctx, t, in.Sender.Author, in.Sender.Name, at)
}

func (i *Intake) typing(ctx context.Context, t *record.Thread, in event.Inbound) error {
	tail, err := i.Record.Tail(ctx, t)
	if err != nil || tail == nil || tail.Status == record.Closed || i.Typing == nil || in.Typing == nil {
		return err
	}
	i.Typing(ctx, tail, *in.Typing)
	return nil
}
