package rcs

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// googleMessage is an AgentMessage (reference/rest/v1/phones.agentMessages).
type googleMessage struct {
	Content googleContent `json:"contentMessage"`
	Traffic string        `json:"messageTrafficType,omitempty"`
	TTL     string        `json:"ttl,omitempty"`
}

type googleContent struct {
	Text  string             `json:"text,omitempty"`
	File  *googleStored      `json:"uploadedRbmFile,omitempty"`
	Card  *googleRichCard    `json:"richCard,omitempty"`
	Chips []googleSuggestion `json:"suggestions,omitempty"`
}

type googleStored struct {
	Name string `json:"fileName"`
}

type googleRichCard struct {
	One  *googleCard     `json:"standaloneCard,omitempty"`
	Many *googleCarousel `json:"carouselCard,omitempty"`
}

type googleCard struct {
	Orientation string            `json:"cardOrientation"`
	Content     googleCardContent `json:"cardContent"`
}

type googleCarousel struct {
	Width    string              `json:"cardWidth"`
	Contents []googleCardContent `json:"cardContents"`
}

type googleCardContent struct {
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Media       *googleMedia       `json:"media,omitempty"`
	Suggestions []googleSuggestion `json:"suggestions,omitempty"`
}

type googleMedia struct {
	Height string       `json:"height"`
	File   googleStored `json:"uploadedRbmFile"`
}

type googleSuggestion struct {
	Reply  *googleReply  `json:"reply,omitempty"`
	Action *googleAction `json:"action,omitempty"`
}

type googleReply struct {
	Text string `json:"text"`
	Data string `json:"postbackData"`
}

type googleAction struct {
	Text     string          `json:"text"`
	Data     string          `json:"postbackData"`
	Dial     *googleDial     `json:"dialAction,omitempty"`
	View     *googleView     `json:"viewLocationAction,omitempty"`
	Share    *struct{}       `json:"shareLocationAction,omitempty"`
	Open     *googleOpen     `json:"openUrlAction,omitempty"`
	Calendar *googleCalendar `json:"createCalendarEventAction,omitempty"`
}

type googleDial struct {
	Phone string `json:"phoneNumber"`
}

type googleView struct {
	At struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
	} `json:"latLong"`
	Label string `json:"label,omitempty"`
}

type googleOpen struct {
	URL string `json:"url"`
}

type googleCalendar struct {
	Start       string `json:"startTime"`
	End         string `json:"endTime"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

func googleSuggestions(all []suggestion) (out []googleSuggestion) {
	for _, s := range all {
		if s.Kind == "reply" {
			out = append(out, googleSuggestion{Reply: &googleReply{s.Label, s.Data}})
			continue
		}
		a := &googleAction{Text: s.Label, Data: s.Data}
		switch s.Kind {
		case "url":
			a.Open = &googleOpen{s.URL}
		case "dial":
			a.Dial = &googleDial{s.Phone}
		case "location":
			a.View = &googleView{Label: s.Place.Name}
			a.View.At.Latitude, a.View.At.Longitude = s.Place.Latitude, s.Place.Longitude
		case "location_request":
			a.Share = &struct{}{}
		case "calendar":
			a.Calendar = &googleCalendar{moment(s.Event.Start), moment(s.Event.End), s.Event.Title, s.Event.Description}
		}
		out = append(out, googleSuggestion{Action: a})
	}
	return out
}

// content draws a message. Google has no messages with a place: it is a text with a suggestion that shows it.
func (m message) google(files []stored) googleContent {
	c := googleContent{Text: m.Text, Chips: googleSuggestions(m.Chips)}
	switch {
	case m.File != nil && len(files) > 0:
		c.File = &googleStored{files[0].Name}
	case m.Place != nil:
		p := m.Place
		if c.Text = lines(p.Name, p.Address); c.Text == "" {
			c.Text = degrees(p.Latitude) + ", " + degrees(p.Longitude)
		}
		label := p.Name
		if label == "" {
			label = degrees(p.Latitude) + ", " + degrees(p.Longitude)
		}
		c.Chips = googleSuggestions([]suggestion{{Kind: "location", Label: clip(label, maxLabel), Data: "location", Place: p}})
	case len(m.Cards) > 0:
		var contents []googleCardContent
		for _, one := range m.Cards {
			drawn := googleCardContent{Title: one.Title, Description: one.Text, Suggestions: googleSuggestions(one.Suggestions)}
			if one.Media != nil && len(files) > 0 {
				drawn.Media = &googleMedia{"MEDIUM", googleStored{files[0].Name}}
				files = files[1:]
			}
			contents = append(contents, drawn)
		}
		if len(contents) == 1 {
			c.Card = &googleRichCard{One: &googleCard{"VERTICAL", contents[0]}}
		} else {
			c.Card = &googleRichCard{Many: &googleCarousel{"MEDIUM", contents}}
		}
	}
	return c
}

// api is where calls about people go: the region of the agent.
func (google) api(ch channel.Channel) string {
	region := ch.Settings.Text("region")
	if region == "" {
		region = "us"
	}
	return base(ch, "https://"+region+"-rcsbusinessmessaging.googleapis.com")
}

// named is the agent in the query of a call.
func named(ch channel.Channel) string {
	return "agentId=" + strings.ReplaceAll(url.QueryEscape(ch.Settings.Text("agent_id")), "%40", "@")
}

// phone is the address of somebody, with what of theirs is meant.
func (g google) phone(ch channel.Channel, peer, what string, query ...string) string {
	q := strings.Join(append(query, named(ch)), "&")
	return g.api(ch) + "/v1/phones/" + url.PathEscape(peer) + "/" + what + "?" + q
}

// send names the message by our own id, which is the same for every try: Google ignores one that it has seen.
func (g google) send(m outgoing, files []stored) channel.Request {
	body := googleMessage{Content: m.google(files), Traffic: m.ch.Settings.Text("traffic_type")}
	if s := m.ch.Settings.Text("ttl_seconds"); s != "" {
		body.TTL = s + "s"
	}
	req := channel.PostJSON(g.phone(m.ch, m.peer, "agentMessages", "messageId="+m.id), body, tagSend)
	req.Key = m.id
	return req
}

// sent reads the name of the message: phones/…/agentMessages/{messageId}.
func (google) sent(resp channel.Response) ([]string, error) {
	if err := googleRefusal(resp); err != nil {
		return nil, err
	}
	var a struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(resp.Body, &a) != nil || !strings.Contains(a.Name, "/agentMessages/") {
		return nil, unclear(resp.Status)
	}
	return []string{a.Name[strings.LastIndexByte(a.Name, '/')+1:]}, nil
}

// googleStatuses are Google's words for what was refused (google.rpc.Code).
var googleStatuses = map[string]class{
	"NOT_FOUND":           {fault.Gone, codeNoRCS},
	"INVALID_ARGUMENT":    {fault.Invalid, channel.CodeContentRejected},
	"FAILED_PRECONDITION": {fault.Invalid, channel.CodeContentRejected},
	"UNAUTHENTICATED":     {fault.Denied, channel.CodeCredentials},
	"PERMISSION_DENIED":   {fault.Denied, channel.CodePermission},
	"RESOURCE_EXHAUSTED":  {fault.Throttled, channel.CodeRateLimited},
}

// googleRefusal judges an answer; nil for a success. A refusal without Google's own word may be a proxy's, and says nothing.
func googleRefusal(resp channel.Response) error {
	if resp.Status >= 200 && resp.Status < 300 {
		return nil
	}
	var a struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
		} `json:"error"`
	}
	_ = json.Unmarshal(resp.Body, &a) // without it the status is all there is
	c, known := googleStatuses[a.Error.Status]
	switch {
	case resp.Status >= 500 || resp.Status < 400:
		return unclear(resp.Status)
	case known:
	case a.Error.Status != "":
		c = class{fault.Invalid, channel.CodeContentRejected}
	case resp.Status == 401 || resp.Status == 403 || resp.Status == 429:
		c = statuses[resp.Status]
	default:
		return unclear(resp.Status)
	}
	e := c.fault(a.Error.Status, a.Error.Message)
	if e.Provider == "" {
		e.Provider = strconv.Itoa(resp.Status)
	}
	if c.kind == fault.Throttled {
		e.After = after(resp.Header)
	}
	return e
}

// upload puts the bytes of a file at Google for 60 days. It is one address for all regions.
func (google) upload(ch channel.Channel, a event.Attachment, _ event.Time) channel.Request {
	return channel.Request{
		Method: "POST", URL: base(ch, "https://rcsbusinessmessaging.googleapis.com") + "/upload/v1/files?" + named(ch),
		File: &channel.Part{Blob: a.Blob, MIME: a.MIME},
	}
}

// uploaded reads the file's name: files/….
func (google) uploaded(resp channel.Response) (stored, error) {
	if err := googleRefusal(resp); err != nil {
		return stored{}, err
	}
	var a struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(resp.Body, &a) != nil || !strings.HasPrefix(a.Name, "files/") {
		return stored{}, unclear(resp.Status)
	}
	return stored{Name: a.Name}, nil
}

// ready is never asked: a file has its name at once.
func (google) ready(ch channel.Channel, id string) channel.Request {
	return channel.Request{Method: "GET", URL: base(ch, "https://rcsbusinessmessaging.googleapis.com") + "/v1/" + id}
}

// signal shows that the agent types, or has read what somebody wrote. What it shows ends by itself.
func (g google) signal(ch channel.Channel, msg event.Outbound) *channel.Request {
	kinds := map[string]string{"typing_on": "IS_TYPING", "read": "READ"}
	if kinds[msg.Signal] == "" {
		return nil
	}
	body := struct {
		Type    string `json:"eventType"`
		Message string `json:"messageId,omitempty"`
	}{Type: kinds[msg.Signal]}
	if msg.Signal == "read" {
		body.Message = msg.InReplyTo
	}
	req := channel.PostJSON(g.phone(ch, msg.Peer, "agentEvents", "eventId="+eventPlace), body, tagSignal)
	return &req
}

func (google) signalled(resp channel.Response) error { return googleRefusal(resp) }

// revoke takes a message back that has not arrived. Google answers with nothing; what has arrived stays.
func (g google) revoke(ch channel.Channel, peer, id string) (channel.Request, func(channel.Response) error) {
	return channel.Request{Method: "DELETE", URL: g.phone(ch, peer, "agentMessages/"+url.PathEscape(id))}, func(resp channel.Response) error {
		if err := googleRefusal(resp); err != nil {
			return err
		}
		var said map[string]json.RawMessage
		if json.Unmarshal(resp.Body, &said) != nil || said == nil || len(said) > 0 {
			return unclear(resp.Status) // it is an empty object
		}
		return nil
	}
}

// capabilities asks what somebody's phone can show.
func (g google) capabilities(ch channel.Channel, peer string) channel.Request {
	return channel.Request{Method: "GET", URL: g.phone(ch, peer, "capabilities", "requestId="+eventPlace)}
}

// reaches refuses what the phone cannot show, before anything is sent.
func (google) reaches(resp channel.Response, m message) error {
	if err := googleRefusal(resp); err != nil {
		return err
	}
	var a struct {
		Features []string `json:"features"`
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil || a.Features == nil {
		return unclear(resp.Status)
	}
	return missing(m.features(), a.Features)
}
