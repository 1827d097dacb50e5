package line

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Tags say what a request is for.
const (
	tagSetup   = "setup"
	tagContent = "content"
	tagSignal  = "signal"
	tagProfile = "profile"
	tagExpiry  = "expiry"
	tagReply   = "reply" // uses the reply token; a push follows if LINE does not take it
	tagPush    = "push"
)

// perCall is how many message objects LINE takes in one call.
const perCall = 5

// retryKey is the header that makes a push idempotent for 24 hours.
const retryKey = "X-Line-Retry-Key"

// Render turns a message into calls of up to five message objects. The first one is a reply if there is a reply token: replies
// are free, pushes count on the monthly quota.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.Signal != "" {
		return signal(ch, msg)
	}
	if msg.Peer == "" {
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	}
	objects, err := contentObjects(msg.Content)
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	var reqs []channel.Request
	for n := 0; len(objects) > 0; n++ {
		some := objects[:min(perCall, len(objects))]
		objects = objects[len(some):]
		if n == 0 && msg.ReplyHandle != "" {
			reqs = append(reqs, reply(ch, msg.ReplyHandle, some))
		} else {
			reqs = append(reqs, push(ch, msg, n, some))
		}
	}
	return reqs, nil
}

func reply(ch channel.Channel, token string, objects []any) channel.Request {
	return request("POST", apiHost(ch)+"/v2/bot/message/reply", tagReply, raw(struct {
		Token    string `json:"replyToken"`
		Messages []any  `json:"messages"`
	}{token, objects}))
}

// push carries a retry key that stays the same however often the part of this attempt is tried.
func push(ch channel.Channel, msg event.Outbound, part int, objects []any) channel.Request {
	req := request("POST", apiHost(ch)+"/v2/bot/message/push", tagPush, raw(struct {
		To       string `json:"to"`
		Messages []any  `json:"messages"`
	}{msg.Peer, objects}))
	req.Key = channel.RetryKey(msg.AttemptID, part)
	req.Header.Set(retryKey, req.Key)
	return req
}

func request(method, url, tag string, body []byte) channel.Request {
	return channel.Request{Method: method, URL: url, Header: channel.Header{"Content-Type": {"application/json"}}, Body: body, Tag: tag}
}

// textObject is a text, with choices below it if it has any.
type textObject struct {
	Type  string      `json:"type"`
	Text  string      `json:"text"`
	Quote string      `json:"quoteToken,omitempty"`
	Quick *quickReply `json:"quickReply,omitempty"`
}

func contentObjects(c event.Content) (objects []any, err error) {
	for n, a := range c.Attachments {
		o, err := mediaObject(a, fmt.Sprintf("/attachments/%d", n))
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	if c.Sticker != nil {
		o, err := stickerObject(*c.Sticker, quoteToken(c))
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	if c.Location != nil {
		objects = append(objects, placeObject(c.Location))
	}
	body, text := channel.InteractiveBody(c)
	if strings.TrimSpace(text) != "" {
		quote := quoteToken(c)
		for _, piece := range sending.Text.Split(text) {
			objects = append(objects, textObject{Type: "text", Text: piece, Quote: quote})
			quote = ""
		}
	}
	if c.Interactive != nil {
		v := *c.Interactive
		v.Body = body
		o, err := interactiveObject(v)
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// placeObject needs a title and an address; where one is missing the other, or the coordinates, stand in.
func placeObject(l *event.Location) any {
	at := strconv.FormatFloat(l.Latitude, 'f', -1, 64) + ", " + strconv.FormatFloat(l.Longitude, 'f', -1, 64)
	first := func(texts ...string) string {
		for _, t := range texts {
			if t = strings.TrimSpace(t); t != "" {
				return cut(t, 100)
			}
		}
		return at
	}
	return struct {
		Type      string  `json:"type"`
		Title     string  `json:"title"`
		Address   string  `json:"address"`
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
	}{"location", first(l.Name, l.Address), first(l.Address, l.Name), l.Latitude, l.Longitude}
}

// stickerObject names a sticker of a package that LINE lets accounts send.
func stickerObject(s event.StickerRef, quote string) (any, error) {
	if !digits(s.PackageID) || !digits(s.ID) {
		return nil, fault.At("/sticker", "sticker_missing", "a sticker on LINE has a package_id and a sticker_id, both digits")
	}
	return struct {
		Type    string `json:"type"`
		Package string `json:"packageId"`
		Sticker string `json:"stickerId"`
		Quote   string `json:"quoteToken,omitempty"`
	}{"sticker", s.PackageID, s.ID, quote}, nil
}

// quoteToken is what LINE wants of the message that is answered, if it gave one.
func quoteToken(c event.Content) string {
	if c.ReplyTo == nil {
		return ""
	}
	return c.ReplyTo.Token
}

// cut shortens a text to so many UTF-16 units, never inside a character.
func cut(s string, n int) string {
	return channel.Limit{Max: n, Unit: channel.UTF16}.Split(s)[0]
}
