package wechat

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// quiet are the kinds of event after which nothing changes for a conversation: what was chosen in the menu comes as a message.
var quiet = map[string]bool{
	"pic_sysphoto": true, "pic_photo_or_album": true, "pic_weixin": true, "location_select": true, "massendjobfinish": true, "masssendjobfinish": true,
}

// event reads a push that is no message. Its name is in lower case.
func (r *reader) event(name string) {
	switch {
	case name == "subscribe":
		r.subscribed()
	case name == "unsubscribe":
		r.member("unfollowed")
	case name == "scan":
		r.referred("scan", r.p.Key)
	case name == "click":
		r.pressed(r.p.Key, "")
	case name == "scancode_push" || name == "scancode_waitmsg":
		r.pressed(r.p.Key, r.p.Scan.Result)
	case name == "view" || name == "view_miniprogram":
		r.viewed()
	case name == "location":
		r.located()
	case name == "templatesendjobfinish":
		r.receipt(r.p.Sent, r.p.Status)
	case strings.HasPrefix(name, "subscribe_msg_"):
		r.subscriptions(name)
	case strings.HasPrefix(name, "kf_"):
		r.handed(name)
	case quiet[name]:
		r.out.Ignore("event", name)
	default:
		r.out.Ignore("event", "other")
	}
}

// subscribed is a new follower, by a QR code with a scene or without.
func (r *reader) subscribed() {
	r.member("followed")
	if scene, ok := strings.CutPrefix(r.p.Key, "qrscene_"); ok && scene != "" {
		r.referred(bySubscribe, scene)
	}
}

func (r *reader) member(state string) {
	out := r.begin(event.ContactMembership)
	out.Membership = &event.Membership{State: state}
	if state == "followed" {
		out.OpensWindow = bySubscribe
	}
	r.add(out)
}

// referred is how somebody came: the scene of a QR code.
func (r *reader) referred(window, scene string) {
	out := r.begin(event.ContactReferred)
	out.Ref += ":referral"
	out.Referral = &event.Referral{Source: "qr", Code: scene, SourceID: r.p.Ticket}
	out.OpensWindow = window
	r.add(out)
}

// pressed is an item of the account's menu, with what was scanned by it.
func (r *reader) pressed(key, scanned string) {
	out := r.begin(event.MessageReceived)
	out.ExternalID, out.OpensWindow, out.Tap = out.Ref, byMenu, true
	out.Content = &event.Content{Type: event.InteractType, Text: scanned, Interaction: &event.Interaction{Kind: "postback", ID: key, Payload: key}}
	if scanned != "" {
		out.Content.Interaction.Data = quoted(scanned)
	}
	r.add(out)
}

// viewed is a page that an item of the menu leads to.
func (r *reader) viewed() {
	if !strings.HasPrefix(r.p.Key, "http") {
		r.out.Ignore("event", "view")
		return
	}
	out := r.begin(event.ContactPageViewed)
	out.Page = &event.Page{URL: r.p.Key}
	r.add(out)
}

// located is where somebody is, told by their app while they open the account: no message, and nothing that a conversation needs.
func (r *reader) located() { r.out.Ignore("event", "location") }

// receipt is what became of a template message. The words for a failure differ by a space from page to page.
func (r *reader) receipt(id, status string) {
	if id == "" {
		r.out.Ignore("no_message_id", "")
		return
	}
	out := r.begin(event.ReceiptReceived)
	out.Ref, out.ExternalID = id+":"+strings.ToLower(r.p.Event), id
	out.Receipt = &event.Receipt{Status: event.Delivered}
	if words := strings.ToLower(strings.ReplaceAll(status, " ", "")); words != "success" {
		f := fault.New(fault.Invalid, channel.CodeUnavailable, "WeChat: %s", status)
		if strings.Contains(words, "user") {
			f = fault.New(fault.Gone, channel.CodeRecipientBlocked, "WeChat: %s", status)
		}
		f.Provider = status
		out.Receipt.Status, out.Receipt.Error = event.Failed, f.Shown()
	}
	r.add(out)
}

// subscriptions are consents to templates, and what became of subscription messages: one of each template.
func (r *reader) subscriptions(name string) {
	for _, i := range append(r.p.Popup, r.p.Changed...) {
		if i.Template == "" || i.Choice == "" {
			r.out.Ignore("no_template", "")
			continue
		}
		out := r.begin(event.ContactConsented)
		out.Ref += ":" + i.Template
		out.Consent = &event.Consent{Category: i.Template, Value: "out"}
		if i.Choice == "accept" {
			out.Consent.Value = "in"
		}
		r.add(out)
	}
	for _, i := range r.p.Told {
		if i.ID == "" {
			r.out.Ignore("no_message_id", "")
			continue
		}
		out := r.begin(event.ReceiptReceived)
		out.Ref, out.ExternalID = i.ID+":"+name+":"+i.Template, i.ID
		out.Receipt = &event.Receipt{Status: event.Delivered}
		if i.Code != "" && i.Code != "0" {
			f := classified(i.Code, i.Words)
			out.Receipt.Status, out.Receipt.Error = event.Failed, f.Shown()
		}
		r.add(out)
	}
	if len(r.p.Popup)+len(r.p.Changed)+len(r.p.Told) == 0 {
		r.out.Ignore("event", "subscribe_msg")
	}
}

// handed is a session of WeChat's own console: while it lasts the person's messages do not come here.
func (r *reader) handed(name string) {
	out := r.begin(event.AccountChanged)
	out.Peer = ""
	out.Ref += ":" + r.p.Account + r.p.FromKf + r.p.ToKf
	out.Account = &event.Account{What: name, Detail: r.p.Account + r.p.ToKf}
	r.add(out)
}

// place reads coordinates.
func place(lat, lon string) (float64, float64, bool) {
	a, err := strconv.ParseFloat(strings.TrimSpace(lat), 64)
	b, err2 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
	return a, b, err == nil && err2 == nil && a >= -90 && a <= 90 && b >= -180 && b <= 180
}

func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(strings.ToValidUTF8(s, "\ufffd")) // a text: cannot fail
	return b
}
