package rcs

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maapCall is the body of a call about somebody.
type maapCall struct {
	Message maapOut     `json:"RCSMessage"`
	Contact maapContact `json:"messageContact"`
}

type maapOut struct {
	Text   string     `json:"textMessage,omitempty"`
	Cards  *gsmaCards `json:"richcardMessage,omitempty"`
	File   *maapFile  `json:"fileMessage,omitempty"`
	Audio  *maapFile  `json:"audioMessage,omitempty"`
	Place  *maapPlace `json:"geolocationPushMessage,omitempty"`
	Typing string     `json:"isTyping,omitempty"`
	Chips  *gsmaChips `json:"suggestedChipList,omitempty"`
}

// contact is somebody as the platform addresses them: by number, or by the id of who hides it.
func contact(peer string) maapContact {
	if n := number(peer); n != "" {
		return maapContact{Number: n}
	}
	return maapContact{Chat: peer}
}

func (p maap) send(m outgoing, files []stored) channel.Request {
	out := maapOut{Text: m.Text}
	switch {
	case m.File != nil && len(files) > 0:
		f := &maapFile{URL: files[0].URL, Name: m.File.Name, MIME: files[0].MIME, Size: json.Number(strconv.FormatInt(files[0].Size, 10))}
		if m.File.Type == event.Audio {
			out.Audio = f
		} else {
			out.File = f
		}
	case m.Place != nil:
		out.Place = &maapPlace{degrees(m.Place.Latitude) + "," + degrees(m.Place.Longitude), lines(m.Place.Name)}
	case len(m.Cards) > 0:
		cards := gsmaCardsOf(m.Cards, files)
		out.Cards = &cards
	}
	if len(m.Chips) > 0 {
		out.Chips = &gsmaChips{gsmaSuggestions(m.Chips)}
	}
	return channel.PostJSON(p.bare(m.ch)+"/messages", maapCall{out, contact(m.peer)}, tagSend)
}

// maapAnswer is what the platform says to a call: it may refuse with a status of success.
type maapAnswer struct {
	Message *struct {
		ID     channel.Opaque `json:"msgId"`
		Status string         `json:"status"`
	} `json:"RCSMessage"`
	File *struct {
		ID     channel.Opaque `json:"fileId"`
		URL    string         `json:"fileUrl"`
		Size   int64          `json:"fileSize"`
		Status string         `json:"status"`
		Till   string         `json:"validity"`
	} `json:"file"`
	Capable *struct {
		Capabilities []string `json:"capabilities"`
	} `json:"contactCapabilities"`
	Error json.RawMessage `json:"error"`
}

// answer reads an answer, or says what it refuses.
func (maap) answer(resp channel.Response) (a maapAnswer, err error) {
	perr := json.Unmarshal(resp.Body, &a)
	if len(a.Error) > 0 && string(a.Error) != "null" && resp.Status < 500 {
		var e struct {
			Code    channel.Opaque `json:"code"`
			Message string         `json:"message"`
			Reason  string         `json:"reason"`
		}
		_ = json.Unmarshal(a.Error, &e) // without it the error itself is all there is
		c, known := statuses[resp.Status]
		if !known {
			c = class{fault.Invalid, channel.CodeContentRejected}
		}
		f := c.fault(string(e.Code), cmp.Or(e.Message, e.Reason, clip(string(a.Error), 200)))
		if c.kind == fault.Throttled {
			f.After = after(resp.Header)
		}
		return a, f
	}
	if err := byStatus(resp, "status "+strconv.Itoa(resp.Status)); err != nil {
		return a, err
	}
	if perr != nil && !channel.Malformed(perr) {
		return a, unclear(resp.Status)
	}
	return a, nil
}

func (p maap) sent(resp channel.Response) ([]string, error) {
	a, err := p.answer(resp)
	switch {
	case err != nil:
		return nil, err
	case a.Message == nil || a.Message.ID == "":
		return nil, unclear(resp.Status)
	case a.Message.Status == "failed":
		return nil, class{fault.Gone, codeUnsent}.fault("failed", "the message was not sent")
	}
	return []string{string(a.Message.ID)}, nil
}

// kept is how long the platform shall keep a file.
const kept = 30 * 24 * time.Hour

func (p maap) upload(ch channel.Channel, a event.Attachment, created event.Time) channel.Request {
	return channel.Request{
		Method: "POST", URL: p.bare(ch) + "/files",
		Form: []channel.Part{
			{Name: "fileType", Value: a.MIME}, {Name: "until", Value: moment(created.Add(kept))},
			{Name: "fileContent", Blob: a.Blob, File: cmp.Or(a.Name, "file"), MIME: a.MIME},
		},
	}
}

func (p maap) uploaded(resp channel.Response) (stored, error) {
	a, err := p.answer(resp)
	switch {
	case err != nil:
		return stored{}, err
	case a.File == nil || a.File.ID == "" || a.File.Status == "ready" && a.File.URL == "":
		return stored{}, unclear(resp.Status)
	case a.File.Status == "ready":
		return stored{ID: string(a.File.ID), URL: a.File.URL, Size: a.File.Size, Till: a.File.Till}, nil
	case a.File.Status == "pending" || a.File.Status == "":
		return stored{ID: string(a.File.ID)}, nil
	}
	return stored{}, class{fault.Invalid, channel.CodeMediaRejected}.fault(a.File.Status, "the file is "+a.File.Status)
}

func (p maap) ready(ch channel.Channel, id string) channel.Request {
	return channel.Request{Method: "GET", URL: p.bare(ch) + "/files/" + url.PathEscape(id)}
}

func (p maap) signal(ch channel.Channel, msg event.Outbound) *channel.Request {
	var req channel.Request
	switch msg.Signal {
	case "typing_on":
		req = channel.PostJSON(p.bare(ch)+"/messages", maapCall{maapOut{Typing: "active"}, contact(msg.Peer)}, tagSignal)
	case "typing_off":
		req = channel.PostJSON(p.bare(ch)+"/messages", maapCall{maapOut{Typing: "idle"}, contact(msg.Peer)}, tagSignal)
	case "read":
		req = p.status(ch, msg.InReplyTo, "displayed")
	default:
		return nil
	}
	return &req
}

// status tells what became of a message: one of theirs was read, or one of ours is taken back.
func (p maap) status(ch channel.Channel, id, status string) channel.Request {
	var body struct {
		Message struct {
			Status string `json:"status"`
		} `json:"RCSMessage"`
	}
	body.Message.Status = status
	req := channel.PostJSON(p.bare(ch)+"/messages/"+url.PathEscape(id)+"/status", body, "")
	req.Method = "PUT"
	return req
}

func (p maap) signalled(resp channel.Response) error {
	_, err := p.answer(resp)
	return err
}

func (p maap) revoke(ch channel.Channel, _, id string) (channel.Request, func(channel.Response) error) {
	return p.status(ch, id, "cancelled"), func(resp channel.Response) error {
		a, err := p.answer(resp)
		switch {
		case err != nil:
			return err
		case a.Message == nil:
			return unclear(resp.Status)
		case a.Message.Status != "" && a.Message.Status != "cancelled":
			return class{fault.Invalid, codeUnrevoked}.fault(a.Message.Status, "the message is "+a.Message.Status)
		}
		return nil
	}
}

func (p maap) capabilities(ch channel.Channel, peer string) channel.Request {
	q := url.Values{}
	if c := contact(peer); c.Number != "" {
		q.Set("userContact", c.Number)
	} else {
		q.Set("chatId", c.Chat)
	}
	return channel.Request{Method: "GET", URL: p.bare(ch) + "/contactCapabilities?" + q.Encode()}
}

// reaches refuses what the phone cannot show. The GSMA names what phones can do with a chatbot as a whole, with files and with places.
func (p maap) reaches(resp channel.Response, m message) error {
	a, err := p.answer(resp)
	switch {
	case err != nil:
		return err
	case a.Capable == nil:
		return unclear(resp.Status)
	case !slices.Contains(a.Capable.Capabilities, "chat"):
		return class{fault.Gone, codeNoRCS}.fault("chat", "the phone has no chat")
	}
	var wanted []string
	if m.File != nil {
		wanted = append(wanted, "fileTransfer")
	}
	if m.Place != nil {
		wanted = append(wanted, "geolocationPush")
	}
	return missing(wanted, a.Capable.Capabilities)
}
