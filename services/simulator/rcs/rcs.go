// Package rcs plays the platforms of RCS: Google's RCS for Business, a MaaP of the GSMA, China Mobile, China Telecom and China Unicom, and
// Huawei's Message over 5G. Each has its base, its credentials and its own way to write the same things.
package rcs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

const typeName = "rcs"

const maxBody = 1 << 20 // bytes of a call without a file

type obj = map[string]any

// Provider plays all platforms.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether an account may send its webhooks to a URL.
	Allowed func(url string) bool

	ids       atomic.Int64 // the latest id of anything
	platforms map[string]platform
}

// platform is how one platform writes what happens, and what it serves.
type platform interface {
	// account reads what is the platform's own of a registration, and which secrets it needs.
	account(in account.Registration, c *account.Config) error
	// serve answers a call whose path is below the base.
	serve(w http.ResponseWriter, r *http.Request, path string)
	// person is the webhook of something that somebody did.
	person(c *account.Config, h happening) webhook.Call
	// status is the webhook of what became of a message; ok is false for what the platform does not tell.
	status(c *account.Config, m ledger.Message, status string) (webhook.Call, bool)
	words() stage.Words
}

// happening is what somebody did, in terms that fit all platforms.
type happening struct {
	kind   string // text, file, location, reply, action, typing, in, out, unsupported
	id     string
	from   string // +…
	at     time.Time
	text   string
	data   string // of a suggestion
	file   *media.File
	fileAt string
	lat    float64
	lon    float64
	label  string
	reply  string // the message of ours that it answers
}

// New returns the provider.
func New(s *stage.Stage, accounts *account.Registry, files *media.Store, allowed func(string) bool) *Provider {
	p := &Provider{Stage: s, Accounts: accounts, Files: files, Allowed: allowed}
	p.ids.Store(s.Now().UnixNano())
	p.platforms = map[string]platform{"google": &google{p}, "maap": &maap{p}, "cmcc": &cmcc{p}, "ctcu": &ctcu{p}, "huawei": &huawei{p}}
	return p
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

// own is what only this package knows of an account.
type own struct {
	app  string // the name that calls have
	key  any    // of Google's service account: its public key
	base string // where the API is, without a slash at the end
	sms  bool   // it falls back to SMS
}

func ownOf(c *account.Config) own { o, _ := c.Own.(own); return o }

// Account reads the registration of an agent.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	which := in.Text("provider")
	if which == "" {
		which = "google"
	}
	pf := p.platforms[which]
	if pf == nil {
		return account.Config{}, fault.At("/settings/provider", "bad_value", "want google, maap, cmcc, ctcu or huawei")
	}
	c := account.Config{Type: typeName, Provider: which, ID: in.Text("chatbot_id"), Base: typeName + "-" + which, Display: "Simulated"}
	if which == "google" {
		c.ID = in.Text("agent_id")
	}
	if c.ID == "" {
		return c, fault.At("/settings/chatbot_id", "required", "the agent or chatbot needs its id")
	}
	return c, pf.account(in, &c)
}

// ownFrom is what all platforms keep of a registration.
func ownFrom(in account.Registration) own {
	sms, _ := in.Settings["sms_fallback"].(bool)
	return own{app: in.Text("app_id"), base: strings.TrimSuffix(in.Text("api_base_url"), "/"), sms: sms}
}

// MadeUp implements the simulator's provider: an agent at Google.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type: typeName, Settings: map[string]any{"provider": "google", "agent_id": "sim_" + account.Hex(6) + "_agent"},
		Secrets: map[string]string{"client_token": account.Hex(20), "service_account": ServiceAccount()},
	}
}

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	out := map[string]func(http.ResponseWriter, *http.Request, string){}
	for name, pf := range p.platforms {
		out[typeName+"-"+name] = pf.serve
	}
	return out
}

func (p *Provider) nextID() string { return fmt.Sprintf("sim-%d", p.ids.Add(1)) }

// Inbound is the webhook of something that a person did, and the id of the message in it.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	if act.Group != "" {
		return webhook.Post{}, "", fault.At("/group", "not_applicable", "RCS has no groups with businesses")
	}
	h := happening{kind: act.Kind, id: act.ID, from: "+" + account.Bare(act.From), at: at, text: act.Text, reply: act.ReplyTo}
	if h.id == "" {
		h.id = p.nextID()
	}
	if strings.Trim(account.Bare(act.From), "0123456789") != "" {
		return webhook.Post{}, "", fault.At("/from", "bad_format", "want a phone number with its country code")
	}
	known := a.People.Known(h.from)
	if err := p.fill(a, &act, &h, known); err != nil {
		return webhook.Post{}, "", err
	}
	a.People.Change(h.from, func(w *account.Person) {
		w.Seen, w.Wrote, w.LastIn = true, at, h.id
		switch h.kind {
		case "out":
			w.Blocked = true
		case "in", "text":
			w.Blocked = false
		}
	})
	id := h.id
	if h.kind == "typing" || h.kind == "in" || h.kind == "out" {
		id = ""
	}
	pf := p.platforms[a.Config().Provider]
	return webhook.Post{About: webhook.About{Peer: h.from}, Make: func() webhook.Call { return pf.person(a.Config(), h) }}, id, nil
}

// fill makes a happening of an action.
func (p *Provider) fill(a *account.Account, act *account.Action, h *happening, known account.Person) error {
	google := a.Config().Provider == "google"
	switch act.Kind {
	case "text":
		if h.text == "" {
			h.text = "Hello"
		}
	case "image", "audio", "video", "document":
		f, err := media.Of(a, act)
		if err != nil {
			return err
		}
		ref := p.nextID()
		p.Files.Put(ref, f)
		h.kind, h.file, h.fileAt = "file", f, ownOf(a.Config()).base+"/files/"+ref
	case "location":
		l := act.Location
		if l == nil {
			l = &account.Location{Latitude: 37.7764, Longitude: -122.4166, Name: "Here"}
		}
		h.lat, h.lon, h.label = l.Latitude, l.Longitude, l.Name
	case "button", "quick_reply", "list":
		c := account.Pick(act, known)
		h.kind, h.text, h.data = "reply", c.Title, strings.TrimPrefix(c.ID, "action:")
		if h.data != c.ID {
			h.kind = "action"
		}
		if h.reply == "" {
			h.reply = known.OfferID
		}
	case "typing":
		if p := a.Config().Provider; p != "google" && p != "maap" {
			return fault.At("/kind", "not_applicable", "this platform does not tell who types")
		}
	case "block", "unblock":
		if !google {
			return fault.At("/kind", "not_applicable", "this platform does not tell who wants no promotions")
		}
		h.kind = map[string]string{"block": "out", "unblock": "in"}[act.Kind]
	case "unsupported":
	default:
		return fault.At("/kind", "not_applicable", "RCS has nothing of the kind %s", act.Kind)
	}
	return nil
}

// Receipt is what became of a message, told by hand.
func (p *Provider) Receipt(a *account.Account, id, status string, _ int) (webhook.Post, error) {
	m, ok := p.Ledger.Message(a, id)
	if !ok {
		return webhook.Post{}, fault.At("/id", "not_found", "the platforms say whose the message is: it must be one that was accepted here")
	}
	pf := p.platforms[a.Config().Provider]
	if _, told := pf.status(a.Config(), m, status); !told {
		return webhook.Post{}, fault.At("/status", "bad_value", "this platform does not tell %q; want sent, delivered, read, failed or, in China, sms", status)
	}
	return p.post(a, m, status), nil
}

func (p *Provider) post(a *account.Account, m ledger.Message, status string) webhook.Post {
	pf := p.platforms[a.Config().Provider]
	return webhook.Post{Key: "status " + m.ID, About: webhook.About{Kind: status, Peer: m.To, Message: m.ID}, Make: func() webhook.Call {
		call, _ := pf.status(a.Config(), m, status)
		return call
	}}
}

// tell schedules what is told about a message. Somebody without RCS gets an SMS where the account falls back to it.
func (p *Provider) tell(a *account.Account, m *ledger.Message) {
	pf, noRCS := p.platforms[a.Config().Provider], a.Script().Recipient(m.To) == "unknown"
	for _, s := range a.Script().Receipts.Plan() {
		status := s.Status
		switch {
		case noRCS && status == "read":
			continue
		case noRCS && status == "delivered" && ownOf(a.Config()).sms:
			status = "sms"
		case noRCS && status == "delivered":
			status = "failed"
		}
		if _, told := pf.status(a.Config(), *m, status); !told {
			continue
		}
		post := p.post(a, *m, status)
		post.After = s.After
		_ = p.Send(a, post) // a queue that is full is counted there
	}
}

// sending is a message that a platform was asked to send.
type sending struct {
	to, kind, text, ref string
	body                []byte
	choices             []account.Choice
	bad                 string // why it is not as documented
	file                string // the id of the file that it names
}

// take puts a message into the ledger.
func (p *Provider) take(a *account.Account, s sending, id string, status int, answer any, kind string) stage.Answer {
	m := &ledger.Message{ID: id, IDs: []string{id}, To: s.to, Kind: s.kind, Text: s.text, Body: asJSON(s.body), Choices: s.choices, ClientRef: s.ref}
	return stage.Answer{Status: status, Body: answer, Type: kind, Message: m, Done: func() {
		a.People.Change(s.to, func(w *account.Person) { w.Got(id, s.choices) })
		p.tell(a, m)
	}}
}

// asJSON is a body as the ledger keeps it: XML as a text.
func asJSON(body []byte) json.RawMessage {
	if json.Valid(body) {
		return body
	}
	b, _ := json.Marshal(string(body)) // a text: cannot fail
	return b
}

// file serves what somebody sent.
func (p *Provider) file(w http.ResponseWriter, a *account.Account, at string) {
	f := p.Files.File(a, at[strings.LastIndexByte(at, '/')+1:])
	if f == nil {
		stage.Write(w, stage.Answer{Status: 404, Code: 404, Body: obj{"error": "no such file"}})
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	_, _ = w.Write(f.Data)
}

// number is a phone number as the gateway writes it, of tel:+… or sip:+…@….
func number(address string) string {
	_, after, found := strings.Cut(address, ":")
	if !found {
		after = address
	}
	after, _, _ = strings.Cut(after, "@")
	return after
}

// say is a call with a body in JSON.
func say(url string, body any) webhook.Call {
	b, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("rcs: %v", err)) // our own types: cannot fail
	}
	return webhook.Call{URL: url, Body: b, Header: http.Header{"Content-Type": {"application/json"}}}
}
