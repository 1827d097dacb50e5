package intake

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// happened handles what is no message: it becomes a row of the timeline.
func (i *Intake) happened(ctx context.Context, t *chat.Thread, in event.Inbound, at event.Time) error {
	by := event.Actor{Kind: "contact", ID: t.ContactID}
	h := chat.Happening{By: by, Ref: in.Ref, At: at, Reference: in.Referral}
	var change func(*chat.Contact)
	switch in.Type {
	case event.ContactReferred:
		h.Category, h.Type = "channel", "referred"
	case event.ContactMembership:
		if in.Membership == nil {
			return nil
		}
		h.Category, h.Type, h.Data = "channel", in.Membership.State, in.Membership
		change = func(c *chat.Contact) {
			switch in.Membership.State {
			case "blocked", "left", "unfollowed":
				c.Unreachable = in.Membership.State
			default:
				c.Unreachable = ""
			}
		}
	case event.ContactConsented:
		if in.Consent == nil {
			return nil
		}
		h.Category, h.Type, h.Data = "contact", "consent_changed", in.Consent
		change = func(c *chat.Contact) { c.OptedOut = in.Consent.Value == "out" }
	case event.ContactPageViewed:
		h.Category, h.Type, h.Data = "page", "page_changed", in.Page
	case event.ThreadControlMoved:
		h.Category, h.Type = "channel", "thread_control"
	default:
		return nil // a type of a newer version: nothing we could show
	}
	return i.Record.Happened(ctx, t, h, change)
}

// identified handles a change of ids: the new ones lead to the same thread, and the old ones are free for somebody else.
func (i *Intake) identified(ctx context.Context, p chat.Person, in event.Inbound, at event.Time) error {
	if in.Identity == nil || len(in.Identity.Old) == 0 {
		return nil
	}
	p.Peer, p.Aliases = in.Identity.Old[0], append(append([]string{}, in.Identity.Old...), in.Identity.New...)
	t, err := i.Record.Thread(ctx, p, at)
	if err != nil {
		return err
	}
	if len(in.Identity.New) > 0 {
		p.Peer = in.Identity.New[0]
		if t, err = i.Record.Thread(ctx, p, at); err != nil {
			return err
		}
	}
	h := chat.Happening{
		Category: "contact", Type: "identity_changed", By: event.Actor{Kind: "contact", ID: t.ContactID}, Data: in.Identity, Ref: in.Ref, At: at,
	}
	if err := i.Record.Happened(ctx, t, h, nil); err != nil {
		return err
	}
	return i.Record.Retire(ctx, p, in.Identity.Old, in.Ref)
}

func (i *Intake) typing(ctx context.Context, t *chat.Thread, in event.Inbound) error {
	tail, err := i.Record.Tail(ctx, t)
	if err != nil || tail == nil || tail.Status == chat.Closed || i.Typing == nil || in.Typing == nil {
		return err
	}
	i.Typing(ctx, tail, *in.Typing)
	return nil
}
