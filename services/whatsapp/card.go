package whatsapp

import (
	"encoding/json"
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// card is a shared contact, the same in both directions.
type card struct {
	Name struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name,omitempty"`
		Last      string `json:"last_name,omitempty"`
	} `json:"name"`
	Phones []struct {
		Phone string         `json:"phone"`
		WaID  channel.Opaque `json:"wa_id,omitempty"`
	} `json:"phones,omitempty"`
	Emails []struct {
		Email string `json:"email"`
	} `json:"emails,omitempty"`
	URLs []struct {
		URL string `json:"url"`
	} `json:"urls,omitempty"`
	Org *struct {
		Company string `json:"company,omitempty"`
	} `json:"org,omitempty"`
	VCard     string          `json:"vcard,omitempty"`
	Addresses json.RawMessage `json:"addresses,omitempty"` // these two have no place of their own in an event
	Birthday  string          `json:"birthday,omitempty"`
}

// lossy reports whether the cards hold more than an event has places for.
func (m *message) lossy() bool {
	return slices.ContainsFunc(m.Contacts, func(c card) bool { return len(c.Addresses) > 0 || c.Birthday != "" })
}

// cards reads shared contacts. The answer to a contact request is the sender's own card.
func (m *message) cards() []event.Card {
	out := make([]event.Card, 0, len(m.Contacts))
	for _, c := range m.Contacts {
		e := event.Card{Name: c.Name.Formatted, First: c.Name.First, Last: c.Name.Last, VCard: c.VCard, Own: m.Origin == "contact_request"}
		for _, p := range c.Phones {
			e.Phones = append(e.Phones, p.Phone)
			if e.Peer == "" {
				e.Peer = string(p.WaID)
			}
		}
		for _, m := range c.Emails {
			e.Emails = append(e.Emails, m.Email)
		}
		for _, u := range c.URLs {
			e.URLs = append(e.URLs, u.URL)
		}
		if c.Org != nil {
			e.Org = c.Org.Company
		}
		out = append(out, e)
	}
	return out
}

// cardOf writes a contact. Meta wants the formatted name and one more part of it.
func cardOf(e event.Card) card {
	var c card
	c.Name.Formatted, c.Name.First, c.Name.Last = e.Name, e.First, e.Last
	if e.First == "" && e.Last == "" {
		c.Name.First = e.Name
	}
	for _, p := range e.Phones {
		c.Phones = append(c.Phones, struct {
			Phone string         `json:"phone"`
			WaID  channel.Opaque `json:"wa_id,omitempty"`
		}{Phone: p})
	}
	for _, m := range e.Emails {
		c.Emails = append(c.Emails, struct {
			Email string `json:"email"`
		}{m})
	}
	for _, u := range e.URLs {
		c.URLs = append(c.URLs, struct {
			URL string `json:"url"`
		}{u})
	}
	if e.Org != "" {
		c.Org = &struct {
			Company string `json:"company,omitempty"`
		}{e.Org}
	}
	return c
}
