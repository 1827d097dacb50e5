package facebook

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// accountNews reads what concerns the Page and no person. It is false for everything else.
func (r *reader) accountNews(h happened) bool {
	v := &h.V
	var a event.Account
	switch {
	case v.Policy != nil:
		a = event.Account{What: "policy_enforcement", Detail: strings.TrimSpace(v.Policy.Action + " " + v.Policy.Reason)}
	case len(v.Roles) > 0:
		a = event.Account{What: "app_roles", Detail: strings.Join(v.Roles[r.app], " ")}
	default:
		return false
	}
	r.out.Add(event.Inbound{Type: event.AccountChanged, Ref: a.What + ":" + meta.StampText(v.Timestamp) + ":" + event.Hash(string(h.Raw)), ProviderAt: v.Timestamp.Time(), Account: &a})
	return true
}

// other reads the items that carry no message.
func (r *reader) other(h happened) {
	v := &h.V
	switch {
	case v.Reaction != nil && v.Reaction.MID != "":
		r.reaction(h)
	case v.Edit != nil && v.Edit.MID != "":
		e := h.begin(event.MessageEdited, string(v.Edit.MID)+"#"+meta.First(string(v.Edit.Nth), event.Hash(v.Edit.Text)))
		e.Target, e.ExternalID = string(v.Edit.MID), string(v.Edit.MID)
		e.Content = &event.Content{Type: event.Text, Text: v.Edit.Text}
		r.out.Add(e)
	case v.Delivery != nil:
		r.delivered(h)
	case v.Read != nil:
		r.upTo(h, event.Read, v.Read.Watermark)
	case v.Referral != nil:
		e := h.begin(event.ContactReferred, h.at("referral"))
		e.Referral, e.OpensWindow = v.Referral.Event(), channel.ByMessage
		if v.Referral.IsAd() {
			e.OpensWindow = channel.ByFreeEntry
		}
		r.out.Add(e)
	case v.Optin != nil:
		r.optin(h)
	case v.Order != nil:
		r.order(h)
	case v.Linking != nil:
		e := h.begin(event.AccountChanged, h.at("account_linking"))
		e.Account = &event.Account{What: "account_linking", Detail: v.Linking.Status}
		r.out.Add(e)
	case v.Passed != nil:
		r.moved(h, "pass_thread_control", string(v.Passed.Owner) != r.app)
	case v.Taken != nil:
		r.moved(h, "take_thread_control", string(v.Taken.Owner) != r.app)
	case v.Asked != nil: // it stays where it is
		r.moved(h, "request_thread_control", h.standby)
	default:
		r.out.Ignore("event", meta.Kind(h.Raw))
	}
}

// moved says that another app got, took or asked for the conversation, or gave it to this one, and whether another one has it now
// (https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/messaging_handovers).
func (r *reader) moved(h happened, how string, elsewhere bool) {
	e := h.begin(event.ThreadControlMoved, h.at(how))
	e.Standby, e.Raw = elsewhere, h.Raw
	r.out.Add(e)
}

func (r *reader) reaction(h happened) {
	v := h.V.Reaction
	e := h.begin(event.MessageReacted, string(v.MID)+":"+h.peer+":"+meta.StampText(h.V.Timestamp)+":"+v.Action)
	e.Target, e.ExternalID = string(v.MID), string(v.MID)
	e.Reaction = meta.Reacted(string(v.MID), v.Emoji, v.Word, v.Action == "unreact")
	if e.Reaction.Action == "add" {
		e.OpensWindow = channel.ByMessage
	}
	r.out.Add(e)
}

// delivered reads a receipt: of the messages that it names, and of everything up to a time.
func (r *reader) delivered(h happened) {
	for _, mid := range h.V.Delivery.MIDs {
		if mid == "" {
			r.out.Ignore("status", "delivered")
			continue
		}
		e := h.begin(event.ReceiptReceived, string(mid)+":delivered")
		e.ExternalID, e.Receipt = string(mid), &event.Receipt{Status: event.Delivered}
		r.out.Add(e)
	}
	if h.V.Delivery.Watermark > 0 || len(h.V.Delivery.MIDs) == 0 {
		r.upTo(h, event.Delivered, h.V.Delivery.Watermark)
	}
}

// upTo reads a watermark: everything that was sent to the person before.
func (r *reader) upTo(h happened, status event.DeliveryStatus, to channel.Stamp) {
	if to.Time().IsZero() {
		r.out.Ignore("status", string(status))
		return
	}
	e := h.begin(event.ReceiptWatermark, h.peer+":"+string(status)+":"+meta.StampText(to))
	e.Receipt = &event.Receipt{Status: status, UpTo: to.Time()}
	r.out.Add(e)
}

// optin reads what a person agreed to. Only marketing messages are a consent; a plugin leads here as a link does, and only it opens the
// window.
func (r *reader) optin(h happened) {
	o := h.V.Optin
	if o.Type == "notification_messages" {
		e := h.begin(event.ContactConsented, h.at("optin"))
		e.Consent, e.Raw = &event.Consent{Category: "marketing", Value: "in"}, h.Raw // the token that addresses them stands there
		if strings.HasPrefix(strings.ToUpper(o.Status), "STOP") {
			e.Consent.Value = "out"
		}
		r.out.Add(e)
		return
	}
	e := h.begin(event.ContactReferred, h.at("optin"))
	e.Referral = &event.Referral{Source: meta.First(o.Type, "optin"), Code: meta.First(o.Ref, o.Payload)}
	if o.Type == "" {
		e.OpensWindow = channel.ByMessage
	}
	r.out.Add(e)
}

// order reads a basket that was sent.
func (r *reader) order(h happened) {
	ref := h.at("order")
	e := h.begin(event.MessageReceived, ref)
	e.ExternalID = ref
	o := &event.Order{Note: h.V.Order.Note, Items: []event.Item{}}
	for _, p := range h.V.Order.Products {
		n, _ := strconv.Atoi(string(p.Quantity))
		o.Items = append(o.Items, event.Item{ProductID: meta.First(string(p.Retailer), string(p.ID)), Quantity: n, Price: string(p.Price), Currency: p.Currency})
	}
	e.Content = &event.Content{Type: event.OrderType, Text: h.V.Order.Note, Order: o}
	r.out.Add(e)
}

// templateNews are the fields about the Page's utility templates.
var templateNews = []string{"message_template_status_update"}

// change reads news that come as changes of fields.
func (r *reader) change(c channel.Item[change]) {
	v := &c.V.Value.V
	switch {
	case c.Err == nil && c.V.Field == "feed":
		r.feed(c.V.Value)
	case c.Err == nil && slices.Contains(templateNews, c.V.Field):
		detail := strings.Join(strings.Fields(v.Template+" "+v.Language+" "+v.Event+" "+string(v.Reason)), " ")
		r.out.Add(event.Inbound{Type: event.AccountChanged, Ref: c.V.Field + ":" + event.Hash(string(c.Raw)), Account: &event.Account{What: c.V.Field, Detail: detail}})
	case c.Err != nil:
		r.out.Ignore("malformed", c.V.Field)
	default:
		r.out.Ignore("field", c.V.Field)
	}
}
