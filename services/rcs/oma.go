package rcs

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// What China Mobile's interface and Huawei's twin of it have in common: OMA's network API for messaging, one in XML and one in JSON.

// omaInbound is a message of somebody.
type omaInbound struct {
	To           string `xml:"destinationAddress" json:"destinationAddress"`
	From         string `xml:"senderAddress" json:"senderAddress"`
	Original     string `xml:"origUser" json:"origUser"`
	ID           string `xml:"messageId" json:"messageId"`
	At           string `xml:"dateTime" json:"dateTime"`
	Type         string `xml:"contentType" json:"contentType"`
	Encoding     string `xml:"contentEncoding" json:"contentEncoding"`
	Body         string `xml:"bodyText" json:"bodyText"`
	Conversation string `xml:"conversationID" json:"conversationID"`
	Contribution string `xml:"contributionID" json:"contributionID"`
	InReplyTo    string `xml:"inReplyToContributionID" json:"inReplyToContributionID"`
}

// body is the content as it was meant.
func (m omaInbound) body() string {
	if strings.EqualFold(strings.TrimSpace(m.Encoding), "base64") {
		if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m.Body), "")); err == nil {
			return valid(string(b))
		}
	}
	return m.Body
}

// content is what a message says, and whether it is no message for the platform; nil for what is not known.
func (m omaInbound) content() (c *event.Content, tap bool) {
	kind, _, _ := strings.Cut(m.Type, ";")
	body := m.body()
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case plainText, "":
		return gsmaText(body), false
	case fileTransfer + "+xml", fileTransfer:
		return ftContent(body), false
	case botResponse:
		var a gsmaAnswer
		if err := json.Unmarshal([]byte(body), &a); err != nil && !channel.Malformed(err) {
			return nil, false
		}
		return a.content()
	case botShared:
		return shared(json.RawMessage(body)), true
	}
	return nil, false
}

// message reads a message of somebody.
func (r *reader) message(ch channel.Keyed, m omaInbound, raw json.RawMessage) {
	peer, sender := who(m.From, m.Original)
	ref := strings.TrimSpace(m.ID)
	if ref == "" && m.Contribution != "" {
		ref = m.Contribution + ":" + strings.TrimSpace(m.From)
	}
	switch {
	case m.To != "" && !sameBot(m.To, ch.Settings.Text("chatbot_id")):
		r.out.Ignore("other_chatbot", "")
		return
	case peer == "":
		r.out.Ignore("no_sender", "")
		return
	case ref == "":
		r.out.Ignore("no_id", "")
		return
	}
	if kind, _, _ := strings.Cut(m.Type, ";"); strings.EqualFold(strings.TrimSpace(kind), spamReport) {
		r.add(event.Inbound{Type: event.AccountChanged, Ref: "complaint:" + ref, Account: &event.Account{What: "complaint", Detail: spam(m.body())}})
		return
	}
	in := event.Inbound{Ref: ref, ExternalID: ref, Peer: peer, Sender: sender, ProviderAt: when(m.At)}
	c, tap := m.content()
	if in.Tap = tap && c != nil; c != nil {
		c.QuoteToken, c.ReplyTo = m.Contribution, quote(m.InReplyTo)
	}
	r.said(in, c, raw)
}

// omaDelivery is what became of a message of ours.
type omaDelivery struct {
	To      string `xml:"address" json:"address"`
	ID      string `xml:"messageId" json:"messageId"`
	State   string `xml:"deliveryStatus" json:"deliveryStatus"`
	Words   string `xml:"description" json:"description"`
	Details string `xml:"text" json:"text"`
}

// omaStates are the nine of them
// (https://support.huaweicloud.com/api-messageover5g/messageover5g_05_0007.html).
var omaStates = map[string]event.Receipt{
	"MessageSent":          {Status: event.Sent},
	"DeliveredToTerminal":  {Status: event.Delivered},
	"MessageDisplayed":     {Status: event.Read},
	"DeliveredToNetwork":   {Status: event.Delivered, Via: viaSMS}, // the operator's own fallback
	"DeliveredToSMS":       {Status: event.Delivered, Via: viaSMS}, // the platform's
	"DeliveredToVms":       {Status: event.Delivered, Via: viaVideoSMS},
	"DeliveryImpossible":   {Status: event.Failed},
	"DeliveredToSMSFailed": {Status: event.Failed, Via: viaSMS},
	"DeliveredToVmsFailed": {Status: event.Failed, Via: viaVideoSMS},
}

// delivery reads what became of a message. link names the message where its id is left out: the last part of an address.
func (r *reader) delivery(d omaDelivery, link string) {
	id := cmp.Or(d.ID, last(link))
	peer, _ := who(d.To, "")
	state := strings.Replace(d.State, "Deliverd", "Delivered", 1) // as one page of Huawei's has it
	receipt, known := omaStates[state]
	switch {
	case id == "" || peer == "":
		r.out.Ignore("no_message_id", d.State)
		return
	case !known:
		r.out.Ignore("status", d.State)
		return
	}
	if receipt.Status == event.Failed {
		receipt.Error = undelivered(state, d.Words, d.Details).Shown()
	}
	r.add(event.Inbound{Type: event.ReceiptReceived, Ref: id + ":" + d.To + ":" + state, Peer: peer, ExternalID: id, Receipt: &receipt})
}

// undelivered is why a message failed: 800 says that it was not there in time, SVC… that the network could not make it an SMS.
func undelivered(state, code, words string) *fault.Error {
	c := class{fault.Gone, codeUnsent}
	switch {
	case code == "800":
		c.code = codeExpired
	case state != "DeliveryImpossible":
		c.code = "sms_not_delivered"
	}
	if words == "" {
		words = state
	}
	if code == "" {
		code = state
	}
	return c.fault(code, words)
}

// boundary parts the two halves of a message with suggestions.
const boundary = "next"

// omaBody is the content of a message, and its type: a text, a place, a file or cards, with suggestions as a second part.
func omaBody(m outgoing, files []stored) (kind, body string) {
	switch {
	case m.File != nil && len(files) > 0:
		kind, body = fileTransfer+"+xml", ftBody(files[0])
	case m.Place != nil:
		kind, body = plainText, geoText(*m.Place)
	case len(m.Cards) > 0:
		kind, body = botMessage, string(channel.JSON(gsmaCardsOf(m.Cards, files)))
	default:
		kind, body = plainText, m.Text
	}
	if len(m.Chips) == 0 {
		return kind, body
	}
	chips := string(channel.JSON(gsmaChips{gsmaSuggestions(m.Chips)}))
	part := func(kind, body string) string {
		return "--" + boundary + "\r\nContent-Type: " + kind + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body + "\r\n"
	}
	return `multipart/mixed; boundary="` + boundary + `"`, part(kind, body) + part(botChips, chips) + "--" + boundary + "--"
}

// reports are what the platform shall tell of a message.
func reports(ch channel.Channel) []string {
	out := []string{"Delivered", "Displayed", "Failed"}
	if ch.Settings.Bool("sms_fallback") {
		out = append(out, "SMS")
	}
	return out
}

// agentOf is the header User-Agent, where the platform wants to know the CSP.
func agentOf(ch channel.Channel, h channel.Header) {
	if id := ch.Settings.Text("csp_id"); id != "" {
		h.Set("User-Agent", "SP/"+id)
	}
}

// last is the last part of an address, the id of what it names; empty for none. The status of something has its id before it.
func last(address string) string {
	address, _, _ = strings.Cut(address, "?")
	address = strings.TrimSuffix(strings.TrimRight(address, "/"), "/status")
	return address[strings.LastIndexByte(address, '/')+1:]
}
