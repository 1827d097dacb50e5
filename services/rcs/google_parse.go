package rcs

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// googlePush is a push of Pub/Sub, or the handshake of a webhook.
type googlePush struct {
	Token   string `json:"clientToken"`
	Secret  string `json:"secret"`
	Message *struct {
		Data       string `json:"data"` // base64
		Attributes struct {
			Agent string `json:"business_id"`
			Kind  string `json:"type"`
			Event string `json:"event_type"`
		} `json:"attributes"`
	} `json:"message"`
}

// googleEvent is what somebody did (UserMessage, UserEvent), or the platform (ServerEvent): what the data of a push decodes to.
type googleEvent struct {
	From      string `json:"senderPhoneNumber"`
	To        string `json:"phoneNumber"` // of server events
	Agent     string `json:"agentId"`
	MessageID string `json:"messageId"`
	EventID   string `json:"eventId"`
	Type      string `json:"eventType"`
	Sent      string `json:"sendTime"`
	Text      string `json:"text"`
	File      *struct {
		Payload googleFile `json:"payload"`
	} `json:"userFile"`
	Place *struct {
		Latitude  *float64 `json:"latitude"` // zero may be left out
		Longitude *float64 `json:"longitude"`
	} `json:"location"`
	Taken *struct {
		Data string `json:"postbackData"`
		Text string `json:"text"`
		Type string `json:"type"` // REPLY, ACTION
	} `json:"suggestionResponse"`
	Carrier string `json:"carrier"`
	State   string `json:"launchState"`
}

type googleFile struct {
	MIME string      `json:"mimeType"`
	Size json.Number `json:"fileSizeBytes"`
	URL  string      `json:"fileUri"`
	Name string      `json:"fileName"`
}

// at is when it happened.
func (e googleEvent) at() event.Time { return when(e.Sent) }

// when reads a time; what is none is no time.
func when(s string) event.Time {
	t, _ := time.Parse(time.RFC3339, s) // without a time the event has none
	return event.At(t)
}

// parse reads one push. Each has one event. What it is its body says: the header X-Goog-Webhook-Type is not signed, and may be missing.
func (google) parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var p googlePush
	if err := json.Unmarshal(in.Body, &p); err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	if p.Message == nil {
		return channel.Parsed{Handshake: true, Reply: channel.Reply{Status: 200, ContentType: "text/plain", Body: []byte(p.Secret)}}, nil
	}
	data, err := base64.StdEncoding.DecodeString(p.Message.Data)
	if err != nil {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the data of the push is not base64: %w", err)
	}
	var e googleEvent
	jerr := json.Unmarshal(data, &e)
	if jerr != nil && !channel.Malformed(jerr) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the data of the push is not JSON: %w", jerr)
	}
	r := googleReader{raw: data}
	r.agent(ch, p, e)
	return r.out, nil
}

type googleReader struct {
	reader
	raw []byte
}

func (r *googleReader) agent(ch channel.Keyed, p googlePush, e googleEvent) {
	id := e.Agent
	if id == "" {
		id = p.Message.Attributes.Agent
	}
	switch launch := p.Message.Attributes.Kind == "agent_launch_event"; {
	case id != "" && agent(id) != agent(ch.Settings.Text("agent_id")):
		r.out.Ignore("other_agent", "")
	case launch:
		r.launched(p, e)
	case e.From != "":
		r.person(e)
	case e.To != "":
		r.server(e)
	default:
		r.out.Ignore("no_sender", e.Type)
	}
}

// launched is how far the agent is with a carrier: news of the account.
func (r *googleReader) launched(p googlePush, e googleEvent) {
	state := p.Message.Attributes.Event
	if state == "" {
		state = e.State
	}
	r.add(event.Inbound{
		Type: event.AccountChanged, Ref: "launch:" + event.Hash(string(r.raw)+" "+state), ProviderAt: e.at(),
		Account: &event.Account{What: "agent_launch", Detail: strings.TrimSpace(state + " " + e.Carrier)},
	})
}

// person is what somebody wrote or did.
func (r *googleReader) person(e googleEvent) {
	peer, sender := who(e.From, "")
	id := e.MessageID
	if e.Type != "" || id == "" {
		id = e.EventID
	}
	if id == "" {
		r.out.Ignore("no_id", e.Type)
		return
	}
	in := event.Inbound{Ref: e.From + ":" + id, Peer: peer, ProviderAt: e.at()}
	switch e.Type {
	case "":
		in.ExternalID, in.Sender = id, sender
		r.wrote(in, e)
	case "DELIVERED", "READ":
		r.receipt(in, e, map[string]event.DeliveryStatus{"DELIVERED": event.Delivered, "READ": event.Read}[e.Type], nil)
	case "IS_TYPING":
		on := true
		in.Type, in.Typing = event.ContactTyping, &on
		r.add(in)
	case "SUBSCRIBE":
		r.consent(in, "in")
	case "UNSUBSCRIBE":
		r.consent(in, "out")
	default:
		r.out.Ignore("event", e.Type)
	}
}

// optOuts are the words that the app writes for somebody who unsubscribes, by the country of their number.
var optOuts = map[string]bool{"stop": true, "baja": true, "parar": true, "arret": true, "arrêt": true, "stopp": true, "unsubscribe": true}

// wrote is a message. The word that comes with an unsubscription is one, too: nobody answers it.
func (r *googleReader) wrote(in event.Inbound, e googleEvent) {
	switch {
	case optOuts[strings.ToLower(strings.TrimSpace(e.Text))]:
		in.ExternalID, in.Sender = "", nil
		r.consent(in, "out")
	case e.Taken != nil:
		reply := e.Taken.Type == "REPLY" || e.Taken.Type == "" && e.Taken.Text != ""
		in.Tap = !reply
		r.said(in, tapped(e.Taken.Text, e.Taken.Data, reply), r.raw)
	case e.File != nil:
		f := e.File.Payload
		size, _ := f.Size.Int64() // what is no number is no size
		r.said(in, file(event.Attachment{MIME: f.MIME, Size: max(size, 0), URL: f.URL, Name: f.Name}), r.raw)
	case e.Place != nil:
		var at *event.Location
		if p := e.Place; p.Latitude != nil || p.Longitude != nil {
			at = place(degrees(deref(p.Latitude)), degrees(deref(p.Longitude)))
		}
		if at == nil {
			r.said(in, nil, r.raw)
			return
		}
		r.said(in, &event.Content{Type: event.LocationType, Location: at}, r.raw)
	default:
		r.said(in, text(e.Text), r.raw)
	}
}

func deref(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

func (r *googleReader) consent(in event.Inbound, value string) {
	in.Type, in.Consent = event.ContactConsented, &event.Consent{Category: "marketing", Value: value}
	r.add(in)
}

// server is what the platform says of a message that did not arrive in time.
func (r *googleReader) server(e googleEvent) {
	peer, _ := who(e.To, "")
	if e.EventID == "" {
		r.out.Ignore("no_id", e.Type)
		return
	}
	in := event.Inbound{Ref: e.To + ":" + e.EventID, Peer: peer, ProviderAt: e.at()}
	switch e.Type {
	case "TTL_EXPIRATION_REVOKED":
		f := fault.New(fault.Gone, codeExpired, "it had not arrived by the time that was set for it, and Google has taken it back: reach them another way")
		f.Provider = e.Type
		r.receipt(in, e, event.Failed, f.Shown())
	case "TTL_EXPIRATION_REVOKE_FAILED":
		f := fault.New(fault.Unknown, codeExpired, "it had not arrived by the time that was set for it, and Google could not take it back: it may still arrive")
		f.Provider = e.Type
		r.receipt(in, e, event.Unsure, f.Shown())
	default:
		r.out.Ignore("event", e.Type)
	}
}

func (r *googleReader) receipt(in event.Inbound, e googleEvent, status event.DeliveryStatus, why *event.Error) {
	if e.MessageID == "" {
		r.out.Ignore("no_message_id", e.Type)
		return
	}
	in.Type, in.ExternalID, in.Receipt = event.ReceiptReceived, e.MessageID, &event.Receipt{Status: status, Error: why}
	r.add(in)
}
