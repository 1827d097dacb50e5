// Package sms plays the APIs of Twilio, Vonage and Infobip as far as SMS and MMS go: each takes messages, tells what became of them, and posts
// what people write, in its own wire format. A person who is blocked writes STOP, and START if they are not any more.
package sms

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

const (
	typeName   = "sms"
	maxBody    = 1 << 20 // bytes of a call
	remembered = 100_000 // messages whose callbacks are known, of all accounts together
)

type obj = map[string]any

// Provider plays the three of them.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether an account may send its webhooks to a URL.
	Allowed func(url string) bool

	ids   atomic.Int64 // the latest id of anything
	calls *lru.Cache[string, callback]
}

// callback is where a message's receipts go, and what stands in them.
type callback struct{ url, ref string }

// own is what an account is beside its Config.
type own struct {
	base, sender string
	speaks       wire
}

// wire is the wire format of one provider.
type wire interface {
	// account reads the settings of a registration.
	account(in account.Registration) (account.Config, error)
	// id makes the id of a message out of a new number.
	id(n string) string
	serve(p *Provider, w http.ResponseWriter, r *http.Request, path string)
	// wrote are the webhooks of a message from somebody: several if it goes over the network in parts.
	wrote(p *Provider, a *account.Account, m incoming) []webhook.Call
	// receipt is the webhook of what became of a message.
	receipt(p *Provider, a *account.Account, r receipt) webhook.Call
}

// receipt says what became of a message, or of a part of it that has an id of its own; code is the provider's, of a failure.
type receipt struct {
	id, to, status string
	code           int
	back           callback
}

// incoming is what somebody writes.
type incoming struct {
	id, from, text string
	file           *media.File
	fileID         string
	at             time.Time
}

var wires = map[string]wire{"twilio": twilio{}, "vonage": vonage{}, "infobip": infobip{}}

// New returns the provider.
func New(s *stage.Stage, accounts *account.Registry, files *media.Store, allowed func(string) bool) *Provider {
	p := &Provider{Stage: s, Accounts: accounts, Files: files, Allowed: allowed}
	p.ids.Store(s.Now().UnixNano())
	p.calls, _ = lru.New[string, callback](remembered) // fails only without a size
	return p
}

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

// Account reads a registration.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	name := cmp.Or(in.Text("provider"), "twilio")
	w, ok := wires[name]
	if !ok {
		return account.Config{}, fault.At("/settings/provider", "bad_value", "want twilio, vonage or infobip")
	}
	c, err := w.account(in)
	sender := in.Text("sender")
	c.Type, c.Provider, c.Base, c.Display = typeName, name, name, cmp.Or(sender, c.Display)
	c.Own = own{base: strings.TrimSuffix(in.Text("api_base_url"), "/"), sender: c.Display, speaks: w}
	return c, err
}

// MadeUp implements the simulator's provider.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type:     typeName,
		Settings: map[string]any{"provider": "twilio", "account_sid": "AC" + account.Hex(16), "messaging_service_sid": "MG" + account.Hex(16), "sender": "+1555" + account.Digits()[:7]},
		Secrets:  map[string]string{"auth_token": account.Hex(16)},
	}
}

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	out := map[string]func(http.ResponseWriter, *http.Request, string){}
	for name, w := range wires {
		out[name] = func(rw http.ResponseWriter, r *http.Request, path string) { w.serve(p, rw, r, path) }
	}
	return out
}

var number = regexp.MustCompile(`^\+?[0-9]{3,15}$`)

// Inbound is the webhook of something that a person did, and the id of the message in it.
func (p *Provider) Inbound(a *account.Account, act account.Action) (webhook.Post, string, error) {
	at, err := act.Time(p.Now())
	if err != nil {
		return webhook.Post{}, "", err
	}
	if !number.MatchString(act.From) {
		return webhook.Post{}, "", fault.At("/from", "bad_format", "want a phone number")
	}
	m := incoming{id: cmp.Or(act.ID, speaks(a).id(p.nextID())), from: "+" + account.Bare(act.From), text: act.Text, at: at}
	blocked := false
	switch act.Kind {
	case "text":
		m.text = cmp.Or(m.text, "Hello")
	case "button", "quick_reply", "list": // what there is to choose stands in the text, and is answered by one
		m.text = cmp.Or(m.text, "1")
	case "block":
		m.text, blocked = "STOP", true
	case "unblock":
		m.text = "START"
	case "image", "audio", "video", "document":
		if a.Config().Provider == "vonage" {
			return webhook.Post{}, "", fault.At("/kind", "not_applicable", "this API has texts only")
		}
		if m.file, err = media.Of(a, &act); err != nil {
			return webhook.Post{}, "", err
		}
		m.fileID = p.nextID()
		p.Files.Put(m.fileID, m.file)
	default:
		return webhook.Post{}, "", fault.At("/kind", "not_applicable", "SMS has nothing of the kind %s", act.Kind)
	}
	a.People.Change(m.from, func(w *account.Person) {
		w.Seen, w.Name, w.Wrote, w.LastIn = true, cmp.Or(act.Name, w.Name), at, m.id
		if act.Kind == "block" || act.Kind == "unblock" {
			w.Blocked = blocked
		}
	})
	calls := speaks(a).wrote(p, a, m)
	post := func(c webhook.Call) webhook.Post {
		return webhook.Post{About: webhook.About{Peer: m.from}, Make: func() webhook.Call { return c }}
	}
	for _, c := range calls[:len(calls)-1] {
		if err := p.Send(a, post(c)); err != nil {
			return webhook.Post{}, "", err
		}
	}
	return post(calls[len(calls)-1]), m.id, nil
}

// Receipt implements the control API.
func (p *Provider) Receipt(a *account.Account, id, status string, code int) (webhook.Post, error) {
	m, ok := p.Ledger.Message(a, id)
	if !ok {
		return webhook.Post{}, fault.At("/id", "not_found", "the message must be one that was accepted here")
	}
	return p.told(a, &m, id, status, code), nil
}

// sent schedules what is told about a message that was accepted.
func (p *Provider) sent(a *account.Account, m *ledger.Message) {
	for _, s := range a.Script().Receipts.Plan() {
		if s.Status == "read" {
			continue // of an SMS nobody knows
		}
		for _, id := range m.IDs {
			post := p.told(a, m, id, s.Status, s.Code)
			post.After = s.After
			_ = p.Send(a, post) // a queue that is full is counted there
		}
	}
}

func (p *Provider) told(a *account.Account, m *ledger.Message, id, status string, code int) webhook.Post {
	back, ok := p.calls.Get(m.ID)
	if !ok || !p.Allowed(back.url) {
		back.url = a.Config().WebhookURL
	}
	return webhook.Post{About: webhook.About{Kind: status, Peer: m.To, Message: id}, Make: func() webhook.Call {
		return speaks(a).receipt(p, a, receipt{id: id, to: m.To, status: status, code: code, back: back})
	}}
}

// accepted is the message of a send, whose receipts go to the callback.
func (p *Provider) accepted(to, kind, text string, body []byte, back callback, ids ...string) *ledger.Message {
	m := &ledger.Message{ID: ids[0], IDs: ids, To: to, Kind: kind, Text: text, Body: body}
	p.calls.Add(m.ID, back)
	return m
}

// refused is why a person cannot be written to: unknown, blocked, or empty.
func (p *Provider) refused(a *account.Account, to string) string {
	state := a.Script().Recipient(to)
	if state == "" && a.People.Known(to).Blocked {
		return "blocked"
	}
	return state
}

func speaks(a *account.Account) wire { o, _ := a.Config().Own.(own); return o.speaks }
func ownOf(a *account.Account) own   { o, _ := a.Config().Own.(own); return o }

func (p *Provider) nextID() string { return fmt.Sprint(p.ids.Add(1)) }

// parts cuts a text as networks do.
func parts(text string) (out []string) {
	single, part := 160, 153
	if channel.Encoding(text) == "ucs2" {
		single, part = 70, 67
	}
	runes := []rune(text)
	if len(runes) <= single {
		return []string{text}
	}
	for len(runes) > part {
		out, runes = append(out, string(runes[:part])), runes[part:]
	}
	return append(out, string(runes))
}

// file serves a file that somebody has sent.
func (p *Provider) file(w http.ResponseWriter, a *account.Account, id string, none stage.Answer) {
	f := p.Files.File(a, id)
	if f == nil {
		stage.Write(w, none)
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	_, _ = w.Write(f.Data)
}
