package account

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Script is how an account behaves. The zero value takes everything at once and tells sent, delivered and read soon after.
type Script struct {
	LatencyMS  int               `json:"latency_ms,omitempty"`         // before every answer
	JitterMS   int               `json:"jitter_ms,omitempty"`          // up to this much more, at random
	Reset      *Times            `json:"reset_before,omitempty"`       // the connection is cut before the request is read
	Lose       *Times            `json:"lose_answer,omitempty"`        // the message is taken, then the connection is cut
	Fail       *Failure          `json:"fail,omitempty"`               // the call is refused
	Throttle   *Throttle         `json:"throttle,omitempty"`           // calls beyond a rate are refused
	Window     string            `json:"window,omitempty"`             // how long after a person's message one may write freely: "24h"; "" or "off": always
	Recipients map[string]string `json:"recipients,omitempty"`         // by id: unknown, or blocked
	Receipts   Receipts          `json:"receipts,omitzero"`            // WhatsApp and Facebook
	Duplicate  int               `json:"duplicate_webhooks,omitempty"` // every webhook comes this many times more
	ReorderMS  int               `json:"reorder_ms,omitempty"`         // every webhook is held back for a random time up to this

	window time.Duration
}

// Times bounds how often something happens.
type Times struct {
	Times int `json:"times"` // 0: until the script is replaced
	used  atomic.Int64
}

// Take reports whether it happens now. A nil Times never does.
func (t *Times) Take() bool {
	return t != nil && (t.Times == 0 || t.used.Add(1) <= int64(t.Times))
}

// Failure is an error that a provider answers with.
type Failure struct {
	Times
	Status     int    `json:"status,omitempty"`             // HTTP; 0: what goes with the code
	Code       int    `json:"code,omitempty"`               // the provider's; 0: none, just a page as a proxy gives it
	Message    string `json:"message,omitempty"`            // "": what goes with the code
	RetryAfter int    `json:"retry_after,omitempty"`        // seconds
	MigrateTo  int64  `json:"migrate_to_chat_id,omitempty"` // Telegram: the group has this id now
	On         string `json:"on,omitempty"`                 // only calls of this name: messages, media, sendMessage …
	To         string `json:"to,omitempty"`                 // only calls for this recipient
}

// Hits reports whether a call fails.
func (f *Failure) Hits(name, to string) bool {
	return f != nil && (f.On == "" || f.On == name) && (f.To == "" || Bare(f.To) == Bare(to)) && f.Take()
}

// Throttle is a limit in calls a second.
type Throttle struct {
	PerSecond float64 `json:"per_second,omitempty"` // of the account
	PerPeer   float64 `json:"per_peer,omitempty"`   // of one recipient
	Burst     int     `json:"burst,omitempty"`      // calls at once; 0: one second's worth

	mu    sync.Mutex
	all   *rate.Limiter
	peers map[string]*rate.Limiter
}

// Exceeded reports whether a call at now is one too many, for whom ("account" or "peer"), and how long to wait.
func (t *Throttle) Exceeded(to string, now time.Time) (scope string, wait time.Duration) {
	if t == nil {
		return "", 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.PerPeer > 0 && to != "" {
		if len(t.peers) > 50_000 || t.peers == nil {
			t.peers = map[string]*rate.Limiter{}
		}
		l := t.peers[to]
		if l == nil {
			l = t.limiter(t.PerPeer)
			t.peers[to] = l
		}
		if wait := over(l, now); wait > 0 {
			return "peer", wait
		}
	}
	if t.PerSecond > 0 {
		if t.all == nil {
			t.all = t.limiter(t.PerSecond)
		}
		if wait := over(t.all, now); wait > 0 {
			return "account", wait
		}
	}
	return "", 0
}

func (t *Throttle) limiter(perSecond float64) *rate.Limiter {
	burst := t.Burst
	if burst == 0 {
		burst = max(1, int(perSecond))
	}
	return rate.NewLimiter(rate.Limit(perSecond), burst)
}

func over(l *rate.Limiter, now time.Time) time.Duration {
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// Receipts is what is told about an accepted message, and when, counted from its acceptance.
type Receipts struct {
	Mode        string `json:"mode,omitempty"`         // auto (default), manual, or off: manual and off tell nothing by themselves
	SentMS      *int   `json:"sent_ms,omitempty"`      // default 50; negative: never
	DeliveredMS *int   `json:"delivered_ms,omitempty"` // default 150; negative: never
	ReadMS      *int   `json:"read_ms,omitempty"`      // default 400; negative: never
	Order       string `json:"order,omitempty"`        // in_order (default), reversed or duplicated
	FailWith    int    `json:"fail_with,omitempty"`    // the message fails with this code instead
}

// Step is one receipt to come.
type Step struct {
	Status string
	Code   int           // of a failure
	At     time.Duration // what its time says, after the acceptance
	After  time.Duration // when it is sent, after the acceptance
}

// Plan is what is told about a message to come.
func (r Receipts) Plan() (out []Step) {
	if r.Mode == "manual" || r.Mode == "off" {
		return nil
	}
	for _, s := range []struct {
		status string
		ms     *int
		usual  int
	}{{"sent", r.SentMS, 50}, {"delivered", r.DeliveredMS, 150}, {"read", r.ReadMS, 400}} {
		at := time.Duration(s.usual) * time.Millisecond
		if s.ms != nil {
			at = time.Duration(*s.ms) * time.Millisecond
		}
		if r.FailWith != 0 {
			return append(out, Step{Status: "failed", Code: r.FailWith, At: max(at, 0), After: max(at, 0)})
		}
		if at >= 0 {
			out = append(out, Step{Status: s.status, At: at, After: at})
		}
	}
	switch r.Order {
	case "reversed":
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i].After, out[j].After = out[j].After, out[i].After
		}
	case "duplicated":
		out = append(out, out...)
	}
	return out
}

// Delay is how long the next answer takes.
func (s *Script) Delay() time.Duration { return pause(s.LatencyMS, s.JitterMS) }

// Hold is how long the next webhook is held back.
func (s *Script) Hold() time.Duration { return pause(0, s.ReorderMS) }

func pause(fixed, jitter int) time.Duration {
	d := time.Duration(fixed) * time.Millisecond
	if jitter > 0 {
		d += rand.N(time.Duration(jitter) * time.Millisecond)
	}
	return d
}

// Closed reports whether the window is closed for somebody who wrote last at that time.
func (s *Script) Closed(wrote, now time.Time) bool { return s.window > 0 && now.Sub(wrote) > s.window }

// Recipient is what the script says about somebody: unknown, blocked or nothing.
func (s *Script) Recipient(id string) string {
	if state := s.Recipients[id]; state != "" {
		return state
	}
	return s.Recipients["+"+Bare(id)]
}

// Check refuses what cannot be played, and prepares the rest.
func (s *Script) Check() error {
	const hour = 3_600_000
	for _, f := range []struct {
		at    string
		v, to int
	}{{"/latency_ms", s.LatencyMS, hour}, {"/jitter_ms", s.JitterMS, hour}, {"/duplicate_webhooks", s.Duplicate, 10}, {"/reorder_ms", s.ReorderMS, hour}} {
		if f.v < 0 || f.v > f.to {
			return fault.At(f.at, "out_of_range", "want 0 to %d", f.to)
		}
	}
	if s.Window != "" && s.Window != "off" {
		d, err := time.ParseDuration(s.Window)
		if err != nil || d <= 0 {
			return fault.At("/window", "bad_format", `want off or a time like "24h"`)
		}
		s.window = d
	}
	if f := s.Fail; f != nil && f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fault.At("/fail/status", "out_of_range", "want an HTTP status from 200 to 599")
	}
	for id, state := range s.Recipients {
		if state != "unknown" && state != "blocked" {
			return fault.At("/recipients/"+id, "bad_value", "want unknown or blocked")
		}
	}
	return s.Receipts.check()
}

func (r Receipts) check() error {
	switch r.Mode {
	case "", "auto", "manual", "off":
	default:
		return fault.At("/receipts/mode", "bad_value", "want auto, manual or off")
	}
	switch r.Order {
	case "", "in_order", "reversed", "duplicated":
	default:
		return fault.At("/receipts/order", "bad_value", "want in_order, reversed or duplicated")
	}
	return nil
}

// Bare is a phone number without its plus; other ids stay as they are.
func Bare(id string) string {
	if len(id) > 0 && id[0] == '+' {
		return id[1:]
	}
	return id
}
