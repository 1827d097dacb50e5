package intake

import (
	"context"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// person is who an event is about, with all that it says of them.
func (i *Intake) person(ctx context.Context, tenant string, ch channel.Keyed, in event.Inbound, at event.Time) (record.Person, error) {
	info, err := i.Channels.Type(ctx, in.ChannelType)
	return record.Person{
		Tenant: tenant, ChannelID: in.ChannelID, ChannelType: in.ChannelType, Peer: in.Peer, Aliases: in.Aliases, Post: in.Post,
		OUID: ch.OUID, Account: record.AccountOf(info, ch.Settings), Observed: observed(in, at),
	}, unlessGone(err)
}

func observed(in event.Inbound, at event.Time) record.Observed {
	o := record.Observed{Profile: in.PeerProfile(), Group: in.OfGroup(), At: when(in, at)}
	switch {
	case in.Type == event.MessageReceived: // whoever writes can be written to
		o.Reach = &record.Reach{}
		if !o.Group {
			o.Card = ownNumber(in.Content)
		}
	case in.Type == event.ContactMembership && in.Membership != nil && (in.Sender == nil || in.Sender.Author == ""): // else it is about a member
		o.Reach = &record.Reach{State: unreachable(in.Membership.State)}
	case in.Type == event.ContactConsented && ofMessages(in.Consent):
		o.Reach = &record.Reach{OptedIn: in.Consent.Value == "in"}
		if !o.Reach.OptedIn {
			o.Reach.State = record.OptedOut
		}
	}
	return o
}

// ofMessages reports whether a consent is to any message on the channel.
func ofMessages(c *event.Consent) bool { return c != nil && c.Category == event.ConsentMessages }

// ownNumber is the phone number on the sender's own card; without a country code it cannot be told which number it is.
func ownNumber(c *event.Content) string {
	if c == nil {
		return ""
	}
	for _, card := range c.Contacts {
		for _, phone := range card.Phones {
			digits := strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, phone)
			if card.Own && strings.HasPrefix(phone, "+") && digits != "" {
				return "+" + digits
			}
		}
	}
	return ""
}

// unreachable is a membership in which the peer cannot be written to; the others are empty.
func unreachable(state string) string {
	switch state {
	case "blocked", "left", "unfollowed", "gone":
		return state
	}
	return ""
}
