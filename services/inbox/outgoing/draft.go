package outgoing

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Draft is a message as its author names it. Its types are its own, and not those of events: a caller may name less than services
// pass on, keys of the file store above all.
type Draft struct {
	Direction     string            `json:"direction"`
	Type          event.MessageType `json:"type"`
	Text          string            `json:"text"`
	HTML          string            `json:"html"`
	Subject       string            `json:"subject"`
	AttachmentIDs []string          `json:"attachment_ids"`
	Location      *locationInput    `json:"location"`
	Sticker       *stickerInput     `json:"sticker"`
	Contacts      []cardInput       `json:"contacts"`
	Interactive   *interactiveInput `json:"interactive"`
	Template      *templateInput    `json:"template"`
	Reaction      *reactionInput    `json:"reaction"`
	ReplyTo       string            `json:"reply_to"`
	Mentions      []string          `json:"mentions"`
	MessageTag    string            `json:"message_tag"`
	AsLink        bool              `json:"as_link"`
}

type reactionInput struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

type stickerInput struct {
	PackageID string `json:"package_id"`
	ID        string `json:"sticker_id"`
}

func (in *stickerInput) sticker() *event.StickerRef {
	if in == nil {
		return nil
	}
	return &event.StickerRef{PackageID: in.PackageID, ID: in.ID}
}

type locationInput struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
}

func (in *locationInput) location() *event.Location {
	if in == nil {
		return nil
	}
	return &event.Location{Latitude: in.Latitude, Longitude: in.Longitude, Name: in.Name, Address: in.Address}
}

type cardInput struct {
	Name   string   `json:"name"`
	First  string   `json:"first_name"`
	Last   string   `json:"last_name"`
	Phones []string `json:"phones"`
	Emails []string `json:"emails"`
	URLs   []string `json:"urls"`
	Org    string   `json:"org"`
	VCard  string   `json:"vcard"`
	Peer   string   `json:"peer"`
	Own    bool     `json:"own"`
}

func (in Draft) cards() (out []event.Card) {
	for _, c := range in.Contacts {
		out = append(out, event.Card(c))
	}
	return out
}

type interactiveInput struct {
	Kind     string         `json:"kind"`
	Header   string         `json:"header"`
	Body     string         `json:"body"`
	Footer   string         `json:"footer"`
	Button   string         `json:"button"`
	Buttons  []choiceInput  `json:"buttons"`
	Sections []sectionInput `json:"sections"`
	URL      string         `json:"url"`
	Flow     *flowInput     `json:"flow"`
}

type choiceInput struct {
	Kind        string `json:"kind"`
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	Phone       string `json:"phone"`

	Location *locationInput `json:"location"`
	Event    *eventInput    `json:"event"`
}

// eventInput is what a choice offers to somebody's calendar.
type eventInput struct {
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Start       event.Time `json:"start"`
	End         event.Time `json:"end"`
}

type sectionInput struct {
	Title       string        `json:"title"`
	Description string        `json:"description"`
	Rows        []choiceInput `json:"rows"`
}

type flowInput struct {
	ID     string          `json:"id"`
	Token  string          `json:"token"`
	Action string          `json:"action"`
	Screen string          `json:"screen"`
	Data   json.RawMessage `json:"data"`
}

func (in *interactiveInput) interactive() *event.Interactive {
	if in == nil {
		return nil
	}
	out := &event.Interactive{
		Kind: in.Kind, Header: in.Header, Body: in.Body, Footer: in.Footer, Button: in.Button, Buttons: choices(in.Buttons), URL: in.URL,
	}
	for _, s := range in.Sections {
		out.Sections = append(out.Sections, event.Section{Title: s.Title, Description: s.Description, Rows: choices(s.Rows)})
	}
	if in.Flow != nil {
		flow := event.Flow(*in.Flow)
		out.Flow = &flow
	}
	return out
}

func choices(in []choiceInput) (out []event.Choice) {
	for _, c := range in {
		choice := event.Choice{
			Kind: c.Kind, ID: c.ID, Title: c.Title, Description: c.Description, URL: c.URL, Phone: c.Phone, Location: c.Location.location(),
		}
		if c.Event != nil {
			calendar := event.CalendarEvent(*c.Event)
			choice.Event = &calendar
		}
		out = append(out, choice)
	}
	return out
}

type templateInput struct {
	Name       string           `json:"name"`
	Language   string           `json:"language"`
	Components []componentInput `json:"components"`
}

type componentInput struct {
	Type       string           `json:"type"`
	SubType    string           `json:"sub_type"`
	Index      string           `json:"index"`
	Parameters []parameterInput `json:"parameters"`
	Cards      []cardOfTemplate `json:"cards"`
}

type cardOfTemplate struct {
	Index      int              `json:"card_index"`
	Components []componentInput `json:"components"`
}

type parameterInput struct {
	Type       string           `json:"type"`
	Name       string           `json:"parameter_name"`
	Text       string           `json:"text"`
	Payload    string           `json:"payload"`
	Attachment *attachmentInput `json:"attachment"`
	Currency   *currencyInput   `json:"currency"`
	DateTime   *dateTimeInput   `json:"date_time"`
	Location   *locationInput   `json:"location"`
	CouponCode string           `json:"coupon_code"`
	Action     *flowActionInput `json:"action"`
	Offer      *offerInput      `json:"limited_time_offer"`
}

type currencyInput struct {
	Fallback   string `json:"fallback_value"`
	Code       string `json:"code"`
	Amount1000 int64  `json:"amount_1000"`
}

type dateTimeInput struct {
	Fallback string `json:"fallback_value"`
}

type flowActionInput struct {
	Token string          `json:"flow_token"`
	Data  json.RawMessage `json:"flow_action_data"`
}

type offerInput struct {
	ExpirationMS int64 `json:"expiration_time_ms"`
}

// parameter is the parameter of the input without its file.
func (in parameterInput) parameter() event.Parameter {
	return event.Parameter{
		Type: in.Type, Name: in.Name, Text: in.Text, Payload: in.Payload, Currency: (*event.Currency)(in.Currency),
		DateTime: (*event.DateTime)(in.DateTime), Location: in.Location.location(), CouponCode: in.CouponCode,
		Action: (*event.FlowAction)(in.Action), Offer: (*event.Offer)(in.Offer),
	}
}

// attachmentInput names a file in a template: an uploaded one by its id, one that the provider has, or a public one by its URL,
// which the provider fetches.
type attachmentInput struct {
	ID       string            `json:"id"`
	Type     event.MessageType `json:"type"`
	MIME     string            `json:"mime"`
	Name     string            `json:"name"`
	MediaRef string            `json:"media_ref"`
	URL      string            `json:"url"`
}

// template is the template of the input; the files that it names are looked up.
func (o *Outbox) template(ctx context.Context, doc *record.Conversation, by Author, in *templateInput) (*event.Template, error) {
	if in == nil {
		return nil, nil
	}
	cs, err := o.components(ctx, doc, by, in.Components, "/template/components")
	if err != nil {
		return nil, err
	}
	return &event.Template{Name: in.Name, Language: in.Language, Components: cs}, nil
}

func cardOf(index int, cs []event.Component) event.TemplateCard {
	card := event.TemplateCard{Index: index}
	for _, c := range cs {
		card.Components = append(card.Components, event.CardComponent{Type: c.Type, SubType: c.SubType, Index: c.Index, Parameters: c.Parameters})
	}
	return card
}

func (o *Outbox) components(
	ctx context.Context, doc *record.Conversation, by Author, in []componentInput, at string,
) (out []event.Component, err error) {
	for i, c := range in {
		oc := event.Component{Type: c.Type, SubType: c.SubType, Index: c.Index}
		for k, param := range c.Parameters {
			op := param.parameter()
			if param.Attachment != nil {
				a, err := o.named(ctx, doc, by, *param.Attachment, fmt.Sprintf("%s/%d/parameters/%d/attachment", at, i, k))
				if err != nil {
					return nil, err
				}
				op.Attachment = &a
			}
			oc.Parameters = append(oc.Parameters, op)
		}
		for k, card := range c.Cards {
			inner, err := o.components(ctx, doc, by, card.Components, fmt.Sprintf("%s/%d/cards/%d/components", at, i, k))
			if err != nil {
				return nil, err
			}
			oc.Cards = append(oc.Cards, cardOf(card.Index, inner))
		}
		out = append(out, oc)
	}
	return out, nil
}

// named is the file that an attachment of the input names, exactly one way.
func (o *Outbox) named(ctx context.Context, doc *record.Conversation, by Author, in attachmentInput, at string) (event.Attachment, error) {
	ways := 0
	for _, way := range []string{in.ID, in.MediaRef, in.URL} {
		if way != "" {
			ways++
		}
	}
	if ways != 1 {
		return event.Attachment{}, fault.At(at, "bad_value", "name the file by exactly one of id (of an uploaded attachment), media_ref and url")
	}
	if in.ID != "" {
		as, err := o.findUploaded(ctx, doc, by, []string{in.ID}, at+"/id")
		if err != nil {
			return event.Attachment{}, err
		}
		return as[0], nil
	}
	if u, err := url.Parse(in.URL); in.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return event.Attachment{}, fault.At(at+"/url", "bad_format", "want an https URL, which the provider can fetch")
	}
	return event.Attachment{Type: in.Type, MIME: in.MIME, Name: in.Name, MediaRef: in.MediaRef, URL: in.URL}, nil
}
