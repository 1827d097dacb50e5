package telegram

import (
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// callback reads a press on an inline button. Ack is what the host answers, or the client shows a spinner.
func (r *reader) callback(c *callback) {
	e := event.Inbound{Type: event.MessageReceived, Ref: string(c.ID), ExternalID: string(c.ID), Peer: string(c.From.ID),
		Sender: sender(chat{Type: "private"}, &c.From, nil)}
	in := &event.Interaction{Kind: "button", Payload: c.Data, Ack: string(c.ID)}
	if c.Game != "" {
		in.Payload = c.Game
	}
	e.Content = &event.Content{Type: event.InteractType, Interaction: in}
	if m := c.Message; m != nil && m.Chat.ID != "" { // an old message comes without anything but its chat and number
		e.Peer = m.peer()
		named(&e, m.Chat, &c.From, nil)
		e.Content.ReplyTo = &event.Quote{ExternalID: m.key(), Excerpt: excerpt(m.Text + m.Caption)}
		in.Title = m.Markup.title(c.Data)
	}
	e.Content.Text = in.Title
	if e.Peer == "" || c.ID == "" {
		r.out.Ignore("no_chat", "")
		return
	}
	r.add(e)
}

// title is the text of the button with that data.
func (m *markup) title(data string) string {
	if m != nil {
		for _, row := range m.Inline {
			for _, b := range row {
				if b.Data == data && data != "" {
					return b.Text
				}
			}
		}
	}
	return ""
}

// reaction tells the difference of what somebody's reactions to a message were and are: first what was taken back.
func (r *reader) reaction(c *reactionChange) {
	old, now := words(c.Old), words(c.New)
	if c.Chat.ID == "" || c.ID == "" {
		r.out.Ignore("no_chat", "")
		return
	}
	target := string(c.Chat.ID) + ":" + string(c.ID)
	tell := func(action, emoji string) {
		re := &event.Reaction{Target: target, All: now, Action: action}
		if action == "add" {
			re.Emoji = emoji
		}
		r.add(event.Inbound{Type: event.MessageReacted, Ref: r.occurrence(c.Date) + ":" + action + ":" + emoji, ExternalID: target,
			Peer: string(c.Chat.ID), ProviderAt: c.Date.Time(), Sender: sender(c.Chat, c.User, c.Actor), Target: target, Reaction: re})
	}
	for _, emoji := range old {
		if !slices.Contains(now, emoji) {
			tell("remove", emoji)
		}
	}
	for _, emoji := range now {
		if !slices.Contains(old, emoji) {
			tell("add", emoji)
		}
	}
	if len(r.out.Events) == 0 {
		r.out.Ignore("reaction_unchanged", "")
	}
}

// words names reactions: an emoji, a custom one by its id, or a paid star. None comes twice.
func words(rs []reaction) []string {
	out := []string{}
	for _, r := range rs {
		w := r.Emoji
		switch r.Type {
		case "custom_emoji":
			w = "custom:" + string(r.Custom)
		case "paid":
			w = "⭐"
		}
		if w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// membership reads a change of what somebody is in a chat; ours says that it is the bot itself. In a private chat the person blocks or
// unblocks the bot.
func (r *reader) membership(c *memberChange, ours bool) {
	state := ""
	switch was, is := c.Old.present(), c.New.present(); {
	case c.Chat.Type == "private" && c.New.Status == "kicked":
		state = "blocked"
	case c.Chat.Type == "private" && c.New.Status == "member":
		state = "unblocked"
	case is && !was:
		state = "joined"
	case was && !is:
		state = "left"
	}
	if state == "" || c.Chat.ID == "" {
		r.out.Ignore("membership_unchanged", "")
		return
	}
	e := event.Inbound{Type: event.ContactMembership, Ref: r.occurrence(c.Date), Peer: string(c.Chat.ID), ProviderAt: c.Date.Time(),
		Membership: &event.Membership{State: state}}
	switch {
	case c.Chat.Type == "private":
		named(&e, c.Chat, &c.From, nil)
	case ours: // the group itself is joined or left
		e.Profile = c.Chat.profile()
	default:
		named(&e, c.Chat, &c.New.User, nil)
	}
	r.add(e)
}

func (m member) present() bool {
	return m.Status == "member" || m.Status == "administrator" || m.Status == "creator" || m.Status == "restricted" && m.IsMember
}

// connection says that a business account connected our bot, changed its rights, or took it away.
func (r *reader) connection(c *connection) {
	detail := "disabled"
	if c.Enabled {
		detail = "enabled"
	}
	r.add(event.Inbound{Type: event.AccountChanged, Ref: r.occurrence(c.Date), ProviderAt: c.Date.Time(),
		Account: &event.Account{What: "business_connection", Detail: detail}, Raw: r.parts()["business_connection"]})
}

// deleted reads messages that were deleted in a chat of a connected business account.
func (r *reader) deleted(d *deletion) {
	seen := map[channel.Opaque]bool{"": true}
	for _, id := range d.IDs {
		if seen[id] || d.Chat.ID == "" {
			continue
		}
		seen[id] = true
		peer := chatOf(d.Business, d.Chat.ID)
		key := peer + ":" + string(id)
		r.add(event.Inbound{Type: event.MessageDeleted, Ref: key + ":deleted", ExternalID: key, Peer: peer, Target: key})
	}
}
