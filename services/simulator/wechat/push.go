package wechat

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // WeChat's own scheme
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// element is a field of a push, as WeChat writes texts.
type element struct {
	XMLName xml.Name
	Value   string `xml:",cdata"`
}

type document struct {
	XMLName xml.Name `xml:"xml"`
	Fields  []element
}

func field(name, value string) element {
	return element{XMLName: xml.Name{Local: name}, Value: value}
}

// Inbound is the push of something that a person did, and the id of the message in it.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	if act.Group != "" {
		return webhook.Post{}, "", fault.At("/group", "not_applicable", "an official account has no groups")
	}
	from := openID(act.From)
	known := a.People.Known(from)
	a.People.Change(from, func(w *account.Person) { w.Seen, w.Name = true, cmp.Or(act.Name, w.Name) })
	fields, id, err := p.happened(a, &act, from, known)
	if err != nil {
		return webhook.Post{}, "", err
	}
	if id != "" {
		a.People.Change(from, func(w *account.Person) { w.Wrote, w.LastIn, w.Blocked = at, id, false })
		fields = append(fields, field("MsgId", id))
	}
	doc := document{Fields: append([]element{
		field("ToUserName", a.Config().ID), field("FromUserName", from), field("CreateTime", strconv.FormatInt(at.Unix(), 10)),
	}, fields...)}
	return webhook.Post{About: webhook.About{Peer: from}, Make: func() webhook.Call { return p.call(a.Config(), from, doc) }}, id, nil
}

// openID is a person's id. Other names for them, a phone number even, stand for an id that is made of them.
func openID(name string) string {
	if len(name) >= 20 && len(name) <= 40 && !strings.ContainsAny(name, " +@.") {
		return name
	}
	h := sha1.Sum([]byte(account.Bare(name))) //nolint:gosec // no secret: a name
	return "o" + base64.RawURLEncoding.EncodeToString(h[:])
}

// happened are the fields of a push, and the id of the message in it; events have none.
func (p *Provider) happened(a *account.Account, act *account.Action, from string, known account.Person) ([]element, string, error) {
	id := cmp.Or(act.ID, fmt.Sprint(p.ids.Add(1)))
	message := func(kind string, more ...element) ([]element, string, error) {
		return append([]element{field("MsgType", kind)}, more...), id, nil
	}
	event := func(name, key string, more ...element) ([]element, string, error) {
		return append([]element{field("MsgType", "event"), field("Event", name), field("EventKey", key)}, more...), "", nil
	}
	switch act.Kind {
	case "text":
		return message("text", field("Content", cmp.Or(act.Text, "你好")))
	case "image", "audio", "video":
		f, err := media.Of(a, act)
		if err != nil {
			return nil, "", err
		}
		ref := newMediaID()
		p.Files.Put(ref, f)
		switch act.Kind {
		case "audio":
			return message("voice", field("MediaId", ref), field("Format", "amr"))
		case "video":
			return message("video", field("MediaId", ref), field("ThumbMediaId", newMediaID()))
		}
		return message("image", field("MediaId", ref), field("PicUrl", "http://mmbiz.qpic.cn/simulated/0"))
	case "location":
		l := act.Location
		if l == nil {
			l = &account.Location{Latitude: 31.230416, Longitude: 121.473701, Address: "上海市黄浦区人民大道"}
		}
		return message("location", field("Location_X", strconv.FormatFloat(l.Latitude, 'f', -1, 64)), field("Location_Y", strconv.FormatFloat(l.Longitude, 'f', -1, 64)),
			field("Scale", "16"), field("Label", cmp.Or(l.Address, l.Name)))
	case "button", "list", "quick_reply":
		c := account.Pick(act, known)
		if len(known.Offered) == 0 { // nothing was offered: an item of the account's menu
			return event("CLICK", c.ID)
		}
		return message("text", field("Content", c.Title), field("bizmsgmenuid", c.ID))
	case "referral":
		scene := "shop"
		if act.Referral != nil {
			scene = cmp.Or(act.Referral.Code, scene)
		}
		return event("SCAN", scene, field("Ticket", "gQ"+newMediaID()))
	case "block", "unblock":
		a.People.Change(from, func(w *account.Person) { w.Blocked = act.Kind == "block" })
		return event(map[string]string{"block": "unsubscribe", "unblock": "subscribe"}[act.Kind], "")
	case "unsupported":
		return message("file", field("Title", "contract.pdf"), field("FileKey", newMediaID()))
	}
	return nil, "", fault.At("/kind", "not_applicable", "WeChat has nothing of the kind %s", act.Kind)
}

// finished schedules what is told about a template message.
func (p *Provider) finished(a *account.Account, m *ledger.Message) {
	for _, s := range a.Script().Receipts.Plan() {
		if s.Status == "delivered" || s.Status == "failed" {
			post := p.done(a, m.ID, m.To, s.Status)
			post.After = s.After
			_ = p.Send(a, post) // a queue that is full is counted there
		}
	}
}

// Receipt is a receipt sent by hand: of a template message, which may be one that was not accepted here.
func (p *Provider) Receipt(a *account.Account, id, status string, _ int) (webhook.Post, error) {
	if status != "delivered" && status != "failed" {
		return webhook.Post{}, fault.At("/status", "bad_value", "want delivered or failed: WeChat tells no more, and that of template messages only")
	}
	m, ok := p.Ledger.Message(a, id)
	if !ok {
		m.To = openID(id)
	}
	return p.done(a, id, m.To, status), nil
}

func (p *Provider) done(a *account.Account, id, to, status string) webhook.Post {
	return webhook.Post{Key: "status " + id, About: webhook.About{Kind: status, Peer: to, Message: id}, Make: func() webhook.Call {
		words := "success"
		if status == "failed" {
			words = "failed: system failed"
		}
		return p.call(a.Config(), to, document{Fields: []element{
			field("ToUserName", a.Config().ID), field("FromUserName", to), field("CreateTime", strconv.FormatInt(p.Now().Unix(), 10)),
			field("MsgType", "event"), field("Event", "TEMPLATESENDJOBFINISH"), field("MsgID", id), field("Status", words),
		}})
	}}
}

// call signs a push, and encrypts it where the account has a key.
func (p *Provider) call(c *account.Config, from string, doc document) webhook.Call {
	body, err := xml.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("wechat: %v", err)) // our own types: cannot fail
	}
	q := p.signed(c)
	q.Set("openid", from)
	if key := ownOf(c).aes; key != "" {
		sealed := seal(key, ownOf(c).app, body)
		body, err = xml.Marshal(document{Fields: []element{field("ToUserName", c.ID), field("Encrypt", sealed)}})
		if err != nil {
			panic(fmt.Sprintf("wechat: %v", err)) // as above
		}
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", signature(c.Secrets["token"], q.Get("timestamp"), q.Get("nonce"), sealed))
	}
	return webhook.Call{URL: c.WebhookURL + "?" + q.Encode(), Body: body, Header: http.Header{"Content-Type": {"text/xml"}, "User-Agent": {"Mozilla/4.0"}}}
}

// echo is the check of the URL.
func (p *Provider) echo(c *account.Config) webhook.Call {
	q := p.signed(c)
	q.Set("echostr", "5837209416625310947")
	return webhook.Call{Method: http.MethodGet, URL: c.WebhookURL + "?" + q.Encode(), Header: http.Header{"User-Agent": {"Mozilla/4.0"}}}
}

// signed are the parameters that every push has.
func (p *Provider) signed(c *account.Config) url.Values {
	at, nonce := strconv.FormatInt(p.Now().Unix(), 10), strconv.FormatInt(time.Now().UnixNano()%1_000_000_000, 10)
	return url.Values{"timestamp": {at}, "nonce": {nonce}, "signature": {signature(c.Secrets["token"], at, nonce)}}
}

func signature(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// seal encrypts a push: 16 random bytes, its length, the push, the app's id, padding to 32.
func seal(encoded, app string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(encoded + "=")
	if err != nil || len(key) != 32 {
		return ""
	}
	plain := make([]byte, 16, 64+len(body))
	_, _ = rand.Read(plain) // it never fails
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(body)))
	plain = append(append(plain, body...), app...)
	pad := 32 - len(plain)%32
	plain = append(plain, slices.Repeat([]byte{byte(pad)}, pad)...)
	c, err := aes.NewCipher(key)
	if err != nil {
		return ""
	}
	cipher.NewCBCEncrypter(c, key[:16]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}
