package rcs

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// cmccMessage is a message to one phone. Our id is its clientCorrelator, by which a repeat is known, and its contributionID, which an answer
// names.
type cmccMessage struct {
	XMLName    xml.Name `xml:"msg:outboundMessageRequest"`
	NS         string   `xml:"xmlns:msg,attr"`
	Address    string   `xml:"address"`
	To         string   `xml:"destinationAddress"`
	From       string   `xml:"senderAddress"`
	Correlator string   `xml:"clientCorrelator"`
	Message    cmccIM   `xml:"outboundIMMessage"`
}

type cmccIM struct {
	Type         string   `xml:"contentType"`
	Conversation string   `xml:"conversationID"`
	Contribution string   `xml:"contributionID"`
	InReplyTo    string   `xml:"inReplyToContributionID,omitempty"`
	Reports      []string `xml:"reportRequest"`
	Capability   struct {
		ID      string `xml:"capabilityId"`
		Version string `xml:"version"`
	} `xml:"serviceCapability"`
	Store bool    `xml:"storeSupported"`
	ToSMS bool    `xml:"shortMessageSupported"`
	Body  cmccRaw `xml:"bodyText"`
}

type cmccRaw struct {
	Text string `xml:",cdata"`
}

const omaSpace = "urn:oma:xml:rest:netapi:messaging:1"

// requests is where messages of the chatbot go: those to one phone are its interaction.
func (cmcc) requests(ch channel.Channel) string {
	return base(ch, "") + "/messaging/interaction/" + version(ch) + "/outbound/" + bot(ch) + "/requests"
}

// postXML is a call with a body in XML.
func postXML(method, to string, body any) channel.Request {
	b, _ := xml.Marshal(body) // our own types: cannot fail
	return channel.Request{Method: method, URL: to, Header: channel.Header{"Content-Type": {"application/xml"}}, Body: append([]byte(xml.Header), b...)}
}

func (p cmcc) send(m outgoing, files []stored) channel.Request {
	out := cmccMessage{NS: omaSpace, Address: tel(m.peer), To: tel(m.peer), From: m.ch.Settings.Text("chatbot_id"), Correlator: m.id}
	out.Message = cmccIM{Conversation: talk(m.ch, m.peer), Contribution: m.id, InReplyTo: m.reply, Reports: reports(m.ch), Store: true}
	out.Message.Capability.ID, out.Message.Capability.Version = botVersion.ID, botVersion.Version
	out.Message.Type, out.Message.Body.Text = omaBody(m, files)
	out.Message.ToSMS = m.ch.Settings.Bool("sms_fallback")
	req := postXML("POST", p.requests(m.ch), out)
	req.Key = m.id
	return req
}

// cmccAnswer is what the platform says to a call.
type cmccAnswer struct {
	XMLName xml.Name
	ID      string `xml:"messageId"`
	URL     string `xml:"resourceURL"`
	Inner   struct {
		ID  string `xml:"messageId"`
		URL string `xml:"resourceURL"`
	} `xml:"outboundIMMessage"`
	Service cmccTrouble `xml:"serviceException"`
	Policy  cmccTrouble `xml:"policyException"`
	Infos   []ftInfo    `xml:"file-info"`
}

type cmccTrouble struct {
	ID    string `xml:"messageId"` // SVC…, POL…
	Words string `xml:"text"`
}

// answer reads an answer, or says what it refuses. OMA's exceptions refuse, whatever the status: SVC what is wrong with the message, POL
// what the account may not.
func (cmcc) answer(resp channel.Response) (a cmccAnswer, err error) {
	perr := readXML(resp.Body, &a)
	trouble, c := a.Service, class{fault.Invalid, channel.CodeContentRejected}
	if trouble.ID == "" {
		trouble, c = a.Policy, class{fault.Denied, channel.CodePermission}
	}
	switch {
	case resp.Status >= 500:
		return a, unclear(resp.Status)
	case perr == nil && trouble.ID != "":
		if known, ok := statuses[resp.Status]; ok && resp.Status != 400 && resp.Status != 403 {
			c = known
		}
		return a, c.fault(trouble.ID, trouble.Words)
	}
	if err := byStatus(resp, "status "+strconv.Itoa(resp.Status)); err != nil {
		return a, err
	}
	if perr != nil && len(bytesOf(resp)) > 0 {
		return a, unclear(resp.Status)
	}
	return a, nil
}

// bytesOf is the body without the white space around it.
func bytesOf(resp channel.Response) string { return strings.TrimSpace(string(resp.Body)) }

// sent reads the message's id: the platform's own, in the answer or in the address of what was made.
func (p cmcc) sent(resp channel.Response) ([]string, error) {
	a, err := p.answer(resp)
	if err != nil {
		return nil, err
	}
	id := cmp.Or(a.ID, a.Inner.ID, last(a.URL), last(a.Inner.URL), last(resp.Header.Get("Location")))
	if id == "" {
		return nil, unclear(resp.Status)
	}
	return []string{id}, nil
}

// upload puts a file at the platform's content server.
func (cmcc) upload(ch channel.Channel, a event.Attachment, _ event.Time) channel.Request {
	return channel.Request{
		Method: "POST", URL: base(ch, "") + "/Content",
		Form: []channel.Part{{Name: "File", Blob: a.Blob, File: cmp.Or(a.Name, "file"), MIME: a.MIME}},
	}
}

// uploaded reads where the file is. A platform that reviews files first answers with the number of the transfer alone, and tells the result
// some time later: the message cannot wait for that.
func (p cmcc) uploaded(resp channel.Response) (out stored, err error) {
	a, err := p.answer(resp)
	var review struct {
		ID channel.Opaque `json:"tid"`
	}
	if json.Unmarshal(resp.Body, &review) == nil && review.ID != "" || err == nil && bytesOf(resp) == "" && resp.Header.Get("tid") != "" {
		return stored{}, class{fault.Invalid, channel.CodeMediaRejected}.fault("review", "the file is reviewed before it can be sent; send a link, with as_link")
	}
	if err != nil {
		return stored{}, err
	}
	for _, i := range a.Infos {
		size, _ := strconv.ParseInt(strings.TrimSpace(i.Size), 10, 64) // what is no number is no size
		out = out.with(i.Kind, stored{URL: i.Data.URL, Name: i.Name, MIME: i.MIME, Size: max(size, 0), Till: i.Data.Until})
	}
	if out.URL == "" {
		return stored{}, unclear(resp.Status)
	}
	return out, nil
}

// ready is never asked: a file has its address at once.
func (cmcc) ready(ch channel.Channel, id string) channel.Request {
	return channel.Request{Method: "GET", URL: base(ch, "") + "/Content/" + id}
}

// cmccRevoke asks for a message back.
type cmccRevoke struct {
	XMLName xml.Name `xml:"msg:messageStatusReport"`
	NS      string   `xml:"xmlns:msg,attr"`
	Address string   `xml:"address"`
	Status  string   `xml:"status"`
}

// revoke asks for a message back; whether it came back a push tells.
func (p cmcc) revoke(ch channel.Channel, peer, id string) (channel.Request, func(channel.Response) error) {
	req := postXML("PUT", p.requests(ch)+"/"+id+"/status", cmccRevoke{NS: omaSpace, Address: tel(peer), Status: "RevokeRequested"})
	return req, func(resp channel.Response) error {
		a, err := p.answer(resp)
		switch {
		case err != nil:
			return err
		case resp.Status != 204 && a.XMLName.Local == "":
			return unclear(resp.Status)
		}
		return nil
	}
}

// download leads to a file of somebody by the content server: its address is a header.
func (cmcc) download(ch channel.Channel, at string) channel.Request {
	return channel.Request{URL: base(ch, "") + "/Content", Header: channel.Header{"File-Location": {at}}}
}
