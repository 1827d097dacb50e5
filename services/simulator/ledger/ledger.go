// Package ledger remembers what the simulated providers were asked, every call and every message that they accepted, and what they
// told: every try of a webhook.
package ledger

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

// What is kept: the latest entries, and of those no more than so many bytes of bodies.
const (
	MaxEntries   = 100_000
	maxBytes     = 128 << 20
	maxHookBytes = 32 << 20
)

// Message is one provider call that was accepted. An album is one call with several ids.
type Message struct {
	Seq       int64           `json:"seq"` // grows by one with each message
	ID        string          `json:"id"`  // wamid, or chat:message_id
	IDs       []string        `json:"ids,omitempty"`
	Type      string          `json:"type"` // whatsapp or telegram
	Account   string          `json:"account"`
	To        string          `json:"to"`
	Kind      string          `json:"kind"`
	Text      string          `json:"text,omitempty"`
	ClientRef string          `json:"client_ref,omitempty"`
	At        time.Time       `json:"at"`
	Copies    int             `json:"copies"` // accepted calls of this account with this very body, this one included
	Body      json.RawMessage `json:"body,omitempty"`
	// Choices are the buttons that bring something back.
	Choices []account.Choice `json:"choices,omitempty"`
	// About are the ids of the messages that a reaction, an edit or a deletion changes.
	About []string `json:"about,omitempty"`

	Of     *account.Account `json:"-"`
	digest [16]byte
}

// Call is one provider call, whatever became of it.
type Call struct {
	Seq     int64     `json:"seq"`
	Type    string    `json:"type"`
	Account string    `json:"account"`
	Name    string    `json:"name"` // messages, media, sendMessage …
	Method  string    `json:"method"`
	Path    string    `json:"path"` // below the provider's base, without secrets
	To      string    `json:"to,omitempty"`
	Kind    string    `json:"kind,omitempty"`
	Ref     string    `json:"client_ref,omitempty"`
	At      time.Time `json:"at"`
	TookMS  int64     `json:"took_ms"`
	Status  int       `json:"status"`            // HTTP; 0 if the connection was cut
	Code    int       `json:"code,omitempty"`    // the provider's error
	Outcome string    `json:"outcome"`           // accepted, refused, lost (accepted, no answer), reset (not read)
	Message string    `json:"message,omitempty"` // the id of the message that it became
	// Answer is what a refused call was answered with.
	Answer json.RawMessage `json:"answer,omitempty"`

	Of *account.Account `json:"-"`
}

// Hook is one try of a webhook.
type Hook struct {
	Seq     int64           `json:"seq"`
	Type    string          `json:"type"`
	Account string          `json:"account"`
	Kind    string          `json:"kind"`              // what it tells: text, button … of a person, or delivered, read … of a message
	Peer    string          `json:"peer"`              // the person it is about
	Message string          `json:"message,omitempty"` // the provider's id of the message it is about
	Path    string          `json:"path"`              // of the URL that it went to
	At      time.Time       `json:"at"`
	TookMS  int64           `json:"took_ms"`
	Status  int             `json:"status"` // HTTP; 0: there was no answer
	Error   string          `json:"error,omitempty"`
	Try     int             `json:"try"` // of this webhook, from 1
	Body    json.RawMessage `json:"body,omitempty"`

	Of *account.Account `json:"-"`
}

// Ledger is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	seq      int64
	callSeq  int64
	hookSeq  int64
	accepted map[*account.Account]int64
	messages ring[*Message]
	calls    ring[*Call]
	hooks    ring[*Hook]
	byID     map[id]*Message
	copies   map[[16]byte]int
}

type id struct {
	of *account.Account
	id string
}

// New returns an empty ledger.
func New() *Ledger {
	l := &Ledger{accepted: map[*account.Account]int64{}, byID: map[id]*Message{}, copies: map[[16]byte]int{}}
	l.messages = ring[*Message]{maxLen: MaxEntries, maxBytes: maxBytes, size: func(m *Message) int { return len(m.Body) + len(m.Text) + 256 }, gone: l.forget}
	l.calls = ring[*Call]{maxLen: MaxEntries, maxBytes: maxBytes, size: func(c *Call) int { return len(c.Answer) + 256 }}
	l.hooks = ring[*Hook]{maxLen: MaxEntries, maxBytes: maxHookBytes, size: func(h *Hook) int { return len(h.Body) + 256 }}
	return l
}

// Accept adds a message and gives it its number.
func (l *Ledger) Accept(m *Message) {
	c := m.Of.Config()
	sum := sha256.Sum256(append([]byte(c.Type+"\x00"+c.ID+"\x00"+m.Kind+"\x00"), m.Body...))
	copy(m.digest[:], sum[:])
	m.Type, m.Account = c.Type, c.ID
	if len(m.IDs) == 0 {
		m.IDs = []string{m.ID}
	}
	m.ID = m.IDs[0]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	m.Seq = l.seq
	l.accepted[m.Of]++
	l.copies[m.digest]++
	for _, one := range m.IDs {
		l.byID[id{m.Of, one}] = m
	}
	l.messages.push(m)
}

func (l *Ledger) forget(m *Message) {
	if l.copies[m.digest]--; l.copies[m.digest] <= 0 {
		delete(l.copies, m.digest)
	}
	for _, one := range m.IDs {
		delete(l.byID, id{m.Of, one})
	}
}

// Note adds a call.
func (l *Ledger) Note(c *Call) {
	conf := c.Of.Config()
	c.Type, c.Account = conf.Type, conf.ID
	l.mu.Lock()
	defer l.mu.Unlock()
	l.callSeq++
	c.Seq = l.callSeq
	l.calls.push(c)
}

// Tell adds a try of a webhook.
func (l *Ledger) Tell(h *Hook) {
	conf := h.Of.Config()
	h.Type, h.Account = conf.Type, conf.ID
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hookSeq++
	h.Seq = l.hookSeq
	l.hooks.push(h)
}

// Message is an accepted message by its id.
func (l *Ledger) Message(of *account.Account, name string) (Message, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.byID[id{of, name}]
	if m == nil {
		return Message{}, false
	}
	return l.read(m), true
}

func (l *Ledger) read(m *Message) Message {
	out := *m
	out.Copies = l.copies[m.digest]
	if len(out.IDs) == 1 {
		out.IDs = nil
	}
	return out
}

// Filter says which entries are wanted; empty fields want all.
type Filter struct {
	Of      func(*account.Account) bool
	To, Ref string
	Seq     int64 // only entries behind this number
	Limit   int
	Newest  bool // of more than Limit the newest, not the oldest
}

// Messages lists accepted messages, oldest first, how many were accepted since the last Clear, and the number of the latest of all.
func (l *Ledger) Messages(f Filter) (out []Message, accepted, last int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for of, n := range l.accepted {
		if f.Of(of) {
			accepted += n
		}
	}
	found := pick(f, l.messages.all(), func(m *Message) bool { return m.Seq > f.Seq && f.wants(m.Of, m.To, m.ClientRef) })
	out = make([]Message, 0, len(found))
	for _, m := range found {
		out = append(out, l.read(m))
	}
	return out, accepted, l.seq
}

// Calls lists calls, oldest first, and tells the number of the latest of all.
func (l *Ledger) Calls(f Filter) (out []Call, last int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return copies(pick(f, l.calls.all(), func(c *Call) bool { return c.Seq > f.Seq && f.wants(c.Of, c.To, c.Ref) })), l.callSeq
}

// Hooks lists tries of webhooks, oldest first, and tells the number of the latest of all.
func (l *Ledger) Hooks(f Filter) (out []Hook, last int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return copies(pick(f, l.hooks.all(), func(h *Hook) bool { return h.Seq > f.Seq && f.wants(h.Of, h.Peer, "") })), l.hookSeq
}

// pick takes the first, or the newest, of those that are wanted; in their order.
func pick[T any](f Filter, all []*T, wanted func(*T) bool) (out []*T) {
	if f.Newest {
		for i := len(all) - 1; i >= 0 && len(out) < f.Limit; i-- {
			if wanted(all[i]) {
				out = append(out, all[i])
			}
		}
		slices.Reverse(out)
		return out
	}
	for _, e := range all {
		if len(out) == f.Limit {
			break
		}
		if wanted(e) {
			out = append(out, e)
		}
	}
	return out
}

func copies[T any](of []*T) []T {
	out := make([]T, 0, len(of))
	for _, e := range of {
		out = append(out, *e)
	}
	return out
}

func (f Filter) wants(of *account.Account, to, ref string) bool {
	return f.Of(of) && (f.To == "" || account.Bare(f.To) == account.Bare(to)) && (f.Ref == "" || f.Ref == ref)
}

// Clear forgets the messages, calls and webhooks of accounts.
func (l *Ledger) Clear(of func(*account.Account) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages.keep(func(m *Message) bool { return !of(m.Of) })
	l.calls.keep(func(c *Call) bool { return !of(c.Of) })
	l.hooks.keep(func(h *Hook) bool { return !of(h.Of) })
	for a := range l.accepted {
		if of(a) {
			delete(l.accepted, a)
		}
	}
}
