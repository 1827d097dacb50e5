package channel

import "github.com/tributaryhq/tributary/pkg/event"

// orLink is what can be done about every file that a channel does not take.
const orLink = ", or send a link, with as_link"

// Linked returns a content as the channel sends it: where its author allows it (as_link), the attachments that the channel does not take,
// and only they, are their public URLs, each on a line after the text. Whoever has the URL has the file, so nothing becomes one by itself.
// It has to be called before the other rules are asked, because the text gets longer.
func (r Rules) Linked(c event.Content, link func(event.Attachment) string) event.Content {
	if !c.AsLink {
		return c
	}
	var kept []event.Attachment
	for _, a := range c.Attachments {
		switch {
		case a.Blob == "" || r.carries(a):
			kept = append(kept, a)
		case c.Text == "":
			c.Text = link(a)
		default:
			c.Text += "\n" + link(a)
		}
	}
	if len(kept) == len(c.Attachments) {
		return c
	}
	c.Attachments = kept
	switch {
	case !isFile(c.Type):
	case len(kept) > 0:
		c.Type = kept[0].Type
	default:
		c.Type = event.Text
	}
	return c
}

// carries reports whether the channel takes a file as it is.
func (r Rules) carries(a event.Attachment) bool {
	var refused problems
	r.checkMedia(&refused, "", a, "")
	return r.Send.Attachments > 0 && len(refused) == 0
}

// isFile reports whether messages of a type are files.
func isFile(t event.MessageType) bool {
	main := mainParts[t]
	return len(main) > 0 && main[0] == "attachments"
}
