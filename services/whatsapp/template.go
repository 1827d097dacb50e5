package whatsapp

import (
	"fmt"

	"github.com/tributaryhq/tributary/pkg/event"
)

type outTemplate struct {
	Name       string         `json:"name"`
	Language   language       `json:"language"`
	Components []outComponent `json:"components,omitempty"`
}

type language struct {
	Code string `json:"code"`
}

type outComponent struct {
	Type       string         `json:"type"`
	SubType    string         `json:"sub_type,omitempty"`
	Index      string         `json:"index,omitempty"`
	Parameters []outParameter `json:"parameters,omitempty"`
	Cards      []outCard      `json:"cards,omitempty"`
}

type outParameter struct {
	Type     string            `json:"type"`
	Name     string            `json:"parameter_name,omitempty"`
	Text     string            `json:"text,omitempty"`
	Payload  string            `json:"payload,omitempty"`
	Image    *outMedia         `json:"image,omitempty"`
	Video    *outMedia         `json:"video,omitempty"`
	Document *outMedia         `json:"document,omitempty"`
	Currency *event.Currency   `json:"currency,omitempty"`
	DateTime *event.DateTime   `json:"date_time,omitempty"`
	Location *location         `json:"location,omitempty"`
	Coupon   string            `json:"coupon_code,omitempty"`
	Action   *event.FlowAction `json:"action,omitempty"`
	Offer    *event.Offer      `json:"limited_time_offer,omitempty"`
}

type outCard struct {
	Index      int            `json:"card_index"`
	Components []outComponent `json:"components"`
}

// templateParts names an approved template and fills its places; files among them are uploaded first, one after the other.
func templateParts(t *event.Template) ([]part, error) {
	p := part{}
	cs, err := p.components(t.Components, "/template/components")
	if err != nil {
		return nil, err
	}
	p.body = outgoing{Type: "template", Template: &outTemplate{Name: t.Name, Language: language{t.Language}, Components: cs}}
	return []part{p}, nil
}

// components are those of a template or of a card. Their files are added to the part's.
func (p *part) components(cs []event.Component, at string) (out []outComponent, err error) {
	for i, c := range cs {
		oc := outComponent{Type: c.Type, SubType: c.SubType, Index: c.Index}
		for k, param := range c.Parameters {
			op, files, err := parameter(param, fmt.Sprintf("%s/%d/parameters/%d", at, i, k))
			if err != nil {
				return nil, err
			}
			oc.Parameters = append(oc.Parameters, op)
			p.files = append(p.files, files...)
		}
		for k, card := range c.Cards {
			inner, err := p.components(card.Plain(), fmt.Sprintf("%s/%d/cards/%d/components", at, i, k))
			if err != nil {
				return nil, err
			}
			oc.Cards = append(oc.Cards, outCard{card.Index, inner})
		}
		out = append(out, oc)
	}
	return out, nil
}

func parameter(p event.Parameter, at string) (outParameter, []file, error) {
	out := outParameter{
		Type: p.Type, Name: p.Name, Text: p.Text, Payload: p.Payload, Currency: p.Currency, DateTime: p.DateTime, Coupon: p.CouponCode,
		Action: p.Action, Offer: p.Offer,
	}
	if l := p.Location; l != nil {
		out.Location = &location{Latitude: l.Latitude, Longitude: l.Longitude, Name: l.Name, Address: l.Address}
	}
	if p.Attachment == nil {
		return out, nil, nil
	}
	m, files, err := reference(*p.Attachment, at+"/attachment")
	if err != nil {
		return out, nil, err
	}
	switch p.Type {
	case "image":
		out.Image = m
	case "video":
		out.Video = m
	default:
		out.Document, m.Filename = m, p.Attachment.Name
	}
	return out, files, nil
}
