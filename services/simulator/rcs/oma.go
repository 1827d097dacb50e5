package rcs

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// cmcc plays China Mobile: OMA's interface in XML.
type cmcc struct{ *Provider }

// huawei plays Message over 5G: the same in JSON.
type huawei struct{ *Provider }

func (p *cmcc) account(in account.Registration, c *account.Config) error {
	c.Own, c.Key = ownFrom(in), in.Text("app_id")
	return in.Need("password")
}

func (p *huawei) account(in account.Registration, c *account.Config) error {
	c.Own, c.Key = ownFrom(in), in.Text("app_id")
	return in.Need("app_secret")
}

func (p *cmcc) words() stage.Words   { return omaWords{xmlNo} }
func (p *huawei) words() stage.Words { return omaWords{jsonNo} }

// omaWords are how both say no; the difference is how it is written.
type omaWords struct {
	no func(status int, text string) stage.Answer
}

// Failure implements stage.Words. With a status but no code the answer is a page, as a proxy gives it.
func (o omaWords) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return stage.Answer{Status: cmp.Or(f.Status, 502), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	}
	no := o.no(cmp.Or(f.Status, f.Code), f.Message)
	no.RetryAfter = f.RetryAfter
	return no
}

// Throttled implements stage.Words.
func (o omaWords) Throttled(string, time.Duration) stage.Answer { return o.no(429, "") }

const xmlType = "application/xml"

// xmlNo is an exception of OMA: of policy where something is not allowed, else of the service.
func xmlNo(status int, text string) stage.Answer {
	kind, id := "serviceException", "SVC"
	if status == 403 {
		kind, id = "policyException", "POL"
	}
	return stage.Answer{Status: status, Code: status, Type: xmlType, Body: `<r:requestError xmlns:r="urn:oma:xml:rest:netapi:common:1"><` + kind + `><messageId>` + id +
		strconv.Itoa(status) + `</messageId><text>` + html.EscapeString(cmp.Or(text, http.StatusText(status))) + `</text></` + kind + `></r:requestError>`}
}

func jsonNo(status int, text string) stage.Answer {
	return stage.Answer{Status: status, Code: status, Body: obj{"code": "SVC" + strconv.Itoa(status), "description": cmp.Or(text, http.StatusText(status))}}
}

// basic are credentials of China Mobile for a moment.
func basic(app, password, date string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(app+":"+digest(digest(password), date)))
}

func (p *cmcc) serve(w http.ResponseWriter, r *http.Request, path string) {
	plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
	app, _, _ := strings.Cut(string(plain), ":")
	a := p.Accounts.ByKey(typeName+"-cmcc", app)
	part := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case a == nil || app == "" || r.Header.Get("Authorization") != basic(app, a.Config().Secrets["password"], r.Header.Get("Date")):
		stage.Write(w, xmlNo(401, ""))
	case r.Method == "GET" && path == "/Content":
		p.file(w, a, r.Header.Get("File-Location"))
	case r.Method == "POST" && path == "/Content":
		p.upload(w, r, a)
	case len(part) < 6 || part[0] != "messaging" || part[4] != a.Config().ID:
		stage.Write(w, xmlNo(404, ""))
	case r.Method == "POST":
		p.send(w, r, a, path)
	case r.Method == "PUT" && len(part) == 8:
		p.revoke(w, r, a, part[6])
	default:
		stage.Write(w, xmlNo(404, ""))
	}
}

// omaSent is a message in either form.
type omaSent struct {
	To         string `xml:"destinationAddress" json:"destinationAddress"`
	From       string `xml:"senderAddress" json:"senderAddress"`
	Correlator string `xml:"clientCorrelator" json:"clientCorrelator"`
	Message    struct {
		Type         string `xml:"contentType" json:"contentType"`
		Contribution string `xml:"contributionID" json:"contributionID"`
		Body         string `xml:"bodyText" json:"bodyText"`
	} `xml:"outboundIMMessage" json:"outboundIMMessage"`
}

// read takes a message apart.
func (o omaSent) read(a *account.Account, body []byte, err error) sending {
	s := sending{to: number(o.To), ref: o.Correlator, body: body}
	s.parts(o.Message.Type, o.Message.Body)
	if err != nil || s.to == "" || o.From != a.Config().ID || o.Correlator == "" || o.Message.Contribution == "" {
		s.bad = cmp.Or(s.bad, "the message is not as documented")
	}
	return s
}

// refused is why a message is not taken; empty if it is.
func (p *Provider) refused(a *account.Account, s sending) (status int, text string) {
	switch {
	case s.bad != "":
		return 400, s.bad
	case a.Script().Recipient(s.to) == "blocked":
		return 403, "the user has blocked the chatbot"
	case s.file != "" && p.Files.File(a, s.file[strings.LastIndexByte(s.file, '/')+1:]) == nil:
		return 400, "there is no such file"
	}
	return 0, ""
}

func (p *cmcc) send(w http.ResponseWriter, r *http.Request, a *account.Account, path string) {
	p.Play(w, r, a, "requests", p.words(), func() stage.Act {
		body, _ := stage.Read(w, r, maxBody)
		var o omaSent
		err := xml.Unmarshal(body, &o)
		s := o.read(a, body, err)
		return stage.Act{Name: "requests", To: s.to, Kind: s.kind, Ref: s.ref, Do: func() stage.Answer {
			if status, text := p.refused(a, s); status != 0 {
				return xmlNo(status, text)
			}
			id := "cm-" + s.ref // a repeat of a correlator is the same message
			answer := `<?xml version="1.0" encoding="UTF-8"?><msg:outboundMessageRequest xmlns:msg="urn:oma:xml:rest:netapi:messaging:1"><clientCorrelator>` + html.EscapeString(s.ref) +
				`</clientCorrelator><resourceURL>` + html.EscapeString(ownOf(a.Config()).base+path+"/"+id) + `</resourceURL></msg:outboundMessageRequest>`
			if _, twice := p.Ledger.Message(a, id); twice {
				return stage.Answer{Status: 201, Body: answer, Type: xmlType}
			}
			return p.take(a, s, id, 201, answer, xmlType)
		}}
	})
}

func (p *cmcc) upload(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "Content", p.words(), func() stage.Act {
		f := readFile(w, r, a)
		return stage.Act{Name: "Content", Do: func() stage.Answer {
			if f == nil {
				return xmlNo(400, "want a file")
			}
			id := p.nextID()
			p.Files.Put(id, f)
			return stage.Answer{Status: 200, Type: xmlType, Body: ftXML(ownOf(a.Config()).base+"/files/"+id, f.Name, f.MIME, len(f.Data))}
		}}
	})
}

// ftXML is a file as messages name it.
func ftXML(at, name, mime string, size int) string {
	return `<?xml version="1.0" encoding="UTF-8"?><file xmlns="urn:gsma:params:xml:ns:rcs:rcs:fthttp"><file-info type="file"><file-size>` + strconv.Itoa(size) + `</file-size><file-name>` +
		html.EscapeString(name) + `</file-name><content-type>` + html.EscapeString(mime) + `</content-type><data url="` + html.EscapeString(at) + `" until="2099-12-31T23:59:59Z"/></file-info></file>`
}

func (p *cmcc) revoke(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "revoke", p.words(), func() stage.Act {
		return stage.Act{Name: "revoke", Kind: "revoke", Ref: id, Do: func() stage.Answer {
			m, ok := p.Ledger.Message(a, id)
			if !ok {
				return xmlNo(404, "there is no such message")
			}
			_ = p.Send(a, webhook.Post{About: webhook.About{Kind: "revoked", Peer: m.To, Message: id}, Make: func() webhook.Call {
				return p.push(a.Config(), "/MessageStatusNotification/", `<msg:messageStatusNotification xmlns:msg="urn:oma:xml:rest:netapi:messaging:1"><address>tel:`+m.To+
					`</address><messageId>`+id+`</messageId><status>Revoked</status></msg:messageStatusNotification>`)
			}})
			return stage.Answer{Status: 204, Body: "", Type: xmlType}
		}}
	})
}

// push signs a push of China Mobile as its calls are signed.
func (p *cmcc) push(c *account.Config, suffix, body string) webhook.Call {
	date := p.Now().UTC().Format(http.TimeFormat)
	return webhook.Call{URL: c.WebhookURL + suffix + c.ID, Body: []byte(body), Header: http.Header{
		"Content-Type": {xmlType}, "Date": {date}, "Authorization": {basic(ownOf(c).app, c.Secrets["password"], date)},
	}}
}

// omaContent is what somebody did as a content and its type.
func omaContent(h happening) (kind, body string) {
	switch h.kind {
	case "file":
		return "application/vnd.gsma.rcs-ft-http+xml", ftXML(h.fileAt, h.file.Name, h.file.MIME, len(h.file.Data))
	case "location":
		return "text/plain", geo(h)
	case "reply", "action":
		b, _ := json.Marshal(tap(h)) // texts alone: cannot fail
		return "application/vnd.gsma.botsuggestion.response.v1.0+json", string(b)
	case "unsupported":
		return "application/hologram", "x"
	}
	return "text/plain", h.text
}

func (p *cmcc) person(c *account.Config, h happening) webhook.Call {
	kind, body := omaContent(h)
	type inbound struct {
		XMLName xml.Name `xml:"msg:inboundMessageNotification"`
		NS      string   `xml:"xmlns:msg,attr"`
		To      string   `xml:"inboundMessage>destinationAddress"`
		From    string   `xml:"inboundMessage>senderAddress"`
		ID      string   `xml:"inboundMessage>messageId"`
		Type    string   `xml:"inboundMessage>contentType"`
		Coding  string   `xml:"inboundMessage>contentEncoding"`
		Body    string   `xml:"inboundMessage>bodyText"`
		Talk    string   `xml:"inboundMessage>conversationID"`
		Part    string   `xml:"inboundMessage>contributionID"`
		Reply   string   `xml:"inboundMessage>inReplyToContributionID,omitempty"`
	}
	b, err := xml.Marshal(inbound{
		NS: "urn:oma:xml:rest:netapi:messaging:1", To: c.ID, From: "sip:" + h.from + "@hn.ims.mnc000.mcc460.3gppnetwork.org", ID: h.id, Type: kind, Coding: "base64",
		Body: base64.StdEncoding.EncodeToString([]byte(body)), Talk: "sim-" + h.from, Part: "ctrb-" + h.id, Reply: h.reply,
	})
	if err != nil {
		panic("rcs: " + err.Error()) // our own types: cannot fail
	}
	return p.push(c, "/InboundMessageNotification/", xml.Header+string(b))
}

// omaState is a platform's word for a status, with its description.
func omaState(status string) (state, words string) {
	switch status {
	case "sent":
		return "MessageSent", ""
	case "delivered":
		return "DeliveredToTerminal", "UP2"
	case "read":
		return "MessageDisplayed", "UP2"
	case "sms":
		return "DeliveredToNetwork", "SMS"
	case "failed":
		return "DeliveryImpossible", "800"
	}
	return "", ""
}

func (p *cmcc) status(c *account.Config, m ledger.Message, status string) (webhook.Call, bool) {
	state, words := omaState(status)
	if state == "" {
		return webhook.Call{}, false
	}
	return p.push(c, "/DeliveryInfoNotification/", `<msg:deliveryInfoNotification xmlns:msg="urn:oma:xml:rest:netapi:messaging:1"><deliveryInfo><address>tel:`+m.To+`</address><messageId>`+
		html.EscapeString(m.ID)+`</messageId><deliveryStatus>`+state+`</deliveryStatus><description>`+words+`</description></deliveryInfo></msg:deliveryInfoNotification>`), true
}

func (p *huawei) serve(w http.ResponseWriter, r *http.Request, path string) {
	app := between(r.Header.Get("Authorization"), `Username="`, `"`)
	a := p.Accounts.ByKey(typeName+"-huawei", app)
	part := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case a == nil || app == "" || between(r.Header.Get("Authorization"), `Password="`, `"`) != a.Config().Secrets["app_secret"]:
		stage.Write(w, jsonNo(401, ""))
	case len(part) < 4 || part[2] != a.Config().ID:
		stage.Write(w, jsonNo(404, ""))
	case r.Method == "GET" && part[3] == "files":
		p.file(w, a, r.Header.Get("File-Location"))
	case r.Method == "POST" && part[0] == "openchatbot" && part[3] == "outbound":
		p.send(w, r, a)
	case r.Method == "PUT" && part[0] == "messaging" && len(part) == 5 && part[4] == "outbound":
		p.revoke(w, r, a, part[3])
	default:
		stage.Write(w, jsonNo(404, ""))
	}
}

func (p *huawei) send(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "outbound", p.words(), func() stage.Act {
		body, _ := stage.Read(w, r, maxBody)
		var o omaSent
		err := json.Unmarshal(body, &o)
		s := o.read(a, body, err)
		return stage.Act{Name: "outbound", To: s.to, Kind: s.kind, Ref: s.ref, Do: func() stage.Answer {
			if status, text := p.refused(a, s); status != 0 {
				return jsonNo(status, text)
			}
			id := p.nextID()
			return p.take(a, s, id, 201, obj{"messageId": id, "clientCorrelator": s.ref}, "")
		}}
	})
}

func (p *huawei) revoke(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "revoke", p.words(), func() stage.Act {
		return stage.Act{Name: "revoke", Kind: "revoke", Ref: id, Do: func() stage.Answer {
			m, ok := p.Ledger.Message(a, id)
			if !ok {
				return jsonNo(404, "there is no such message")
			}
			_ = p.Send(a, webhook.Post{About: webhook.About{Kind: "revoked", Peer: m.To, Message: id}, Make: func() webhook.Call {
				return p.push(a.Config(), "/openchatbot/v2/MessageStatusNotification", obj{"address": "tel:" + m.To, "messageId": id, "status": "Revoked"})
			}})
			return stage.Answer{Status: 204, Body: "", Type: xmlType}
		}}
	})
}

// push carries the account's name and password: nothing is signed.
func (p *huawei) push(c *account.Config, suffix string, v any) webhook.Call {
	call := say(c.WebhookURL+suffix, v)
	call.Header.Set("Authorization", `Username="`+ownOf(c).app+`",Password="`+c.Secrets["app_secret"]+`"`)
	call.Header.Set("traceUniqueID", p.nextID())
	return call
}

func (p *huawei) person(c *account.Config, h happening) webhook.Call {
	kind, body := omaContent(h)
	v := obj{
		"destinationAddress": c.ID, "senderAddress": "tel:" + h.from, "messageId": h.id, "dateTime": h.at.UTC().Format(time.RFC3339), "contentType": kind, "bodyText": body,
		"conversationID": "sim-" + h.from, "contributionID": "ctrb-" + h.id,
	}
	if h.reply != "" {
		v["inReplyToContributionID"] = h.reply
	}
	return p.push(c, "/openchatbot/v2/MessageNotification", v)
}

func (p *huawei) status(c *account.Config, m ledger.Message, status string) (webhook.Call, bool) {
	state, words := omaState(status)
	if state == "" {
		return webhook.Call{}, false
	}
	return p.push(c, "/openchatbot/v2/DeliveryInfoNotification", obj{"deliveryInfo": obj{"address": "tel:" + m.To, "messageId": m.ID, "deliveryStatus": state, "description": words}}), true
}
