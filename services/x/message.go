package x

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// groupPrefix marks a peer that is a conversation of several people.
const groupPrefix = "group:"

// message reads a direct message, or the copy of one that the account has sent. What is not known becomes a placeholder (P2).
func (r *reader) message(i channel.Item[message], users map[string]user) {
	m := i.V
	if m.Create == nil || m.ID == "" || m.Create.Sender == "" {
		r.out.Ignore("no_message", m.Type)
		return
	}
	from, to := string(m.Create.Sender), string(m.Create.Target.Recipient)
	e := event.Inbound{Type: event.MessageReceived, Ref: string(m.ID), ExternalID: string(m.ID), Peer: from, ProviderAt: m.Created.Time(), Sender: profile(users[from])}
	if from == r.account {
		e.Type, e.Peer, e.Sender = event.MessageEchoed, to, nil
		e.Profile = profile(users[to])
	}
	if g := string(m.Create.Target.Conversation); g != "" && to == "" {
		e.Peer = groupPrefix + g
		if e.Type == event.MessageReceived {
			if e.Sender == nil {
				e.Sender = &event.Profile{}
			}
			e.Sender.Author = from
		}
	}
	if e.Peer == "" {
		r.out.Ignore("no_recipient", "")
		return
	}
	e.Content = m.Create.Data.content()
	if e.Content == nil || i.Err != nil {
		e.Content = &event.Content{Type: event.Unsupported, Raw: i.Raw}
	}
	if v := m.Via; v != nil && v.Tweet != "" {
		e.Content.Referral = &event.Referral{Source: "post", SourceID: string(v.Tweet)}
	} else if v != nil && v.Welcome != "" {
		e.Content.Referral = &event.Referral{Source: "welcome_message", SourceID: string(v.Welcome)}
	}
	r.add(e)
}

// profile is what X says of somebody; nil if it says nothing.
func profile(u user) *event.Profile {
	p := event.Profile{Name: u.Name, Username: u.Handle, AvatarRef: u.Picture}
	if d := u.Data; d != nil {
		p = event.Profile{Name: d.Name, Username: d.Handle, AvatarRef: d.Picture}
	}
	if p == (event.Profile{}) {
		return nil
	}
	return &p
}

// plain takes back what X has escaped.
var plain = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// content is what a message says; nil for what is not known.
func (d messageData) content() *event.Content {
	c := &event.Content{Type: event.Text, Text: plain.Replace(d.Text)}
	if a := d.Attachment; a != nil {
		switch {
		case a.Type == "media" && a.Media != nil:
			if !a.Media.add(c) {
				return nil
			}
		case a.Type == "location" && a.Location != nil && a.Location.Shared != nil && len(a.Location.Shared.Coordinates.LonLat) == 2:
			at := a.Location.Shared.Coordinates.LonLat
			c.Type, c.Location = event.LocationType, &event.Location{Longitude: at[0], Latitude: at[1]}
		default:
			return nil
		}
	}
	if q := d.Chosen; q != nil {
		c.Type = event.InteractType
		c.Interaction = &event.Interaction{Kind: "quick_reply", ID: q.Data, Title: c.Text, Payload: q.Data}
	}
	if c.Type == event.Text && c.Text == "" {
		return nil
	}
	return c
}

// add takes a file over. Its address at X can be read with the account's credentials only. The short link to it, with which the text ends, goes.
func (m *media) add(c *event.Content) bool {
	a := event.Attachment{Type: event.Image, MediaRef: m.URL}
	if m.Type != "photo" {
		a.Type, a.Animated = event.Video, m.Type == "animated_gif"
		a.MediaRef = m.best()
	}
	if a.MediaRef == "" {
		return false
	}
	if m.Short != "" {
		c.Text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(c.Text), m.Short))
	}
	c.Type, c.Attachments = a.Type, []event.Attachment{a}
	return true
}

// best is the address of the MP4 with the most bits.
func (m *media) best() (at string) {
	if m.Video == nil {
		return ""
	}
	most := int64(-1)
	for _, v := range m.Video.Variants {
		if v.V.Kind == "video/mp4" && v.V.Rate > most {
			at, most = v.V.URL, v.V.Rate
		}
	}
	return at
}
