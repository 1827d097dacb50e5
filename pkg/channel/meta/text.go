package meta

import (
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Absolute is a whole web address, or nothing.
func Absolute(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return text
}

// Lines puts those texts below each other that say something new.
func Lines(texts ...string) string {
	var out strings.Builder
	for _, t := range texts {
		if t = strings.TrimSpace(t); t == "" || strings.Contains(out.String(), t) {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(t)
	}
	return out.String()
}

// Below puts words below the text of a content, all at once: there can be ten thousand of them.
func Below(c *event.Content, words []string) {
	if len(words) > 0 {
		c.Text = Lines(append([]string{c.Text}, words...)...)
	}
}

// First is the first text that is not empty.
func First(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// Emptied reports whether nothing was read into a content.
func Emptied(c *event.Content) bool {
	return c.Text == "" && len(c.Attachments) == 0 && c.Location == nil && c.Sticker == nil
}

// AddFile adds a file by its URL, which is signed and ends. Of what is no whole URL it adds nothing and returns the words, which are shown.
func AddFile(c *event.Content, kind event.MessageType, from, title string) (words []string) {
	if Absolute(from) == "" {
		return []string{title, from}
	}
	if len(c.Attachments) == 0 {
		c.Type = kind
	}
	c.Attachments = append(c.Attachments, event.Attachment{Type: kind, URL: from, Name: title})
	return nil
}

// Words are those of cards and products.
func Words(cards []Element) (words []string) {
	for _, e := range cards {
		words = append(words, e.Title, e.Subtitle)
	}
	return words
}
