package channel

import (
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Window says when the business may write to somebody: always if nothing opens it, otherwise as long as something that opened it lasts.
// This file alone answers whether, until when and how often.
type Window struct {
	Opens   map[string]Opening // by what opens it: message, or what [event.Inbound.OpensWindow] names
	Outside []string           // what may be sent while it is closed: template, message_tag:HUMAN_AGENT
}

// Kinds of what opens a window that the frame itself knows.
const (
	ByMessage   = "message"    // every message of a customer
	ByFreeEntry = "free_entry" // an ad or a page button
)

// Opening is how long, and for how many messages, the business may write after something has opened the window.
type Opening struct {
	For   Duration `json:"for,omitzero"`   // zero: without an end
	Count int      `json:"count,omitzero"` // messages at the provider; zero: any number
}

// Anchor is something that opened the window, at a time.
type Anchor struct {
	Kind  string     `json:"kind"`
	At    event.Time `json:"at,omitzero"`
	Until event.Time `json:"until,omitzero"` // of earlier versions, which kept the end instead
	Taken []Taken    `json:"taken,omitempty"`
}

// Taken is how many messages at the provider an attempt has, of those that an anchor allows.
type Taken struct {
	By      string     `json:"by"` // the attempt
	N       int        `json:"n"`
	Settled event.Time `json:"settled,omitzero"` // when the outcome of its last call was known; zero: it is under way
}

// left is how many messages the anchor still allows, if o counts them.
func (a Anchor) left(o Opening) int {
	left := o.Count
	for _, t := range a.Taken {
		left -= t.N
	}
	return max(left, 0)
}

// Anchors are what opened a conversation's window: the newest of each kind.
type Anchors []Anchor

// newer reports whether a has opened the window after b did.
func (a Anchor) newer(b Anchor) bool {
	if !a.At.Equal(b.At.Time) {
		return a.At.After(b.At)
	}
	return a.Until.After(b.Until)
}

// Open returns the anchors with others that are newer than those of their kinds. What the provider gets after that counts for the newer
// one: an attempt keeps its messages unless it was settled before that (docs/models/windows.pml, CARRY).
func (as Anchors) Open(others ...Anchor) Anchors {
	for _, a := range others {
		i := slices.IndexFunc(as, func(b Anchor) bool { return a.Kind == b.Kind })
		switch {
		case i < 0:
			as = append(slices.Clone(as), a)
		case a.newer(as[i]):
			before := as[i].Taken
			as = slices.Clone(as)
			as[i] = a
			as[i].Taken = slices.DeleteFunc(slices.Clone(before), func(t Taken) bool { return !t.Settled.IsZero() && t.Settled.Before(a.At) })
		}
	}
	return as
}

// Settle returns the anchors once the outcome of an attempt is known, at a time: it keeps used messages, and what it provably did not use
// can be used by others. It reports whether that changed anything.
func (as Anchors) Settle(by string, used int, at event.Time) (Anchors, bool) {
	out, changed := slices.Clone(as), false
	for i, a := range out {
		var kept []Taken
		for _, t := range a.Taken {
			if t.By == by && t.Settled.IsZero() {
				t.N, t.Settled, changed = min(t.N, used), at, true
				used -= t.N
			}
			if t.N > 0 {
				kept = append(kept, t)
			}
		}
		out[i].Taken = kept
	}
	return out, changed
}

// Reasons for which a window is closed.
const (
	NeverOpened = "never_opened" // the customer has not written yet
	Expired     = "expired"      // what opened it is over
	UsedUp      = "used_up"      // all messages that it allows have been sent
)

// WindowState is what a window allows at a time.
type WindowState struct {
	Closed string     // the reason; empty: the business may write
	Until  event.Time // when it ends or has ended; zero: it has no end, or nothing has opened it
	Left   *int       // how many messages at the provider may still be sent; nil: any number
	Free   int        // messages that need no place: those that have arrived before, and one that goes out by a reply handle
}

// Open reports whether the business may write.
func (s WindowState) Open() bool { return s.Closed == "" }

// Needs is how many places of the window so many messages at the provider take.
func (s WindowState) Needs(messages int) int { return max(messages-s.Free, 0) }

// neverOpen is the end of a window that nothing has opened yet, where nothing but a time is told: long past, and not zero.
var neverOpen = event.At(time.Unix(1, 0))

// End is what a message on its way is told of the window. Zero: it does not end.
func (s WindowState) End() event.Time {
	if s.Closed == NeverOpened {
		return neverOpen
	}
	return s.Until
}

// Told is the state of the window as a message on its way knows it: how many messages it allows was settled when the message was taken.
func Told(msg event.Outbound, now time.Time) WindowState {
	s := WindowState{Until: msg.WindowUntil}
	if msg.Resume != nil {
		s.Free += len(msg.Resume.Skip)
	}
	if msg.ReplyHandle != "" {
		s.Free++
	}
	switch {
	case msg.WindowUntil.Equal(neverOpen.Time):
		s.Closed, s.Until = NeverOpened, event.Time{}
	case !msg.WindowUntil.IsZero() && !now.Before(msg.WindowUntil.Time):
		s.Closed = Expired
	}
	return s
}

// State returns what the window allows.
func (w Window) State(anchors Anchors, now time.Time) WindowState {
	if len(w.Opens) == 0 {
		return WindowState{}
	}
	s, left := WindowState{Closed: NeverOpened}, 0
	for _, o := range w.opened(anchors) { // the one that ends last comes last
		s.Closed, s.Until = Expired, o.end()
	}
	for _, o := range w.lasting(anchors, now) {
		if o.Count == 0 {
			s.Closed, s.Left = "", nil
			return s
		}
		left += o.left(o.Opening)
		s.Closed, s.Left = UsedUp, &left
	}
	if left > 0 {
		s.Closed = ""
	}
	return s
}

// Take returns the anchors with so many messages taken by an attempt, from those that end first. An attempt that has taken some already
// takes no more. Nothing is counted as long as an anchor lasts that allows any number.
func (w Window) Take(anchors Anchors, now time.Time, by string, messages int) Anchors {
	lasting := w.lasting(anchors, now)
	if slices.ContainsFunc(lasting, func(o opened) bool {
		return o.Count == 0 || slices.ContainsFunc(o.Taken, func(t Taken) bool { return t.By == by })
	}) {
		return anchors
	}
	out := slices.Clone(anchors)
	for _, o := range lasting {
		if n := min(o.left(o.Opening), messages); n > 0 {
			out[o.place].Taken = append(slices.Clone(o.Taken), Taken{By: by, N: n})
			messages -= n
		}
	}
	return out
}

// Counted reports whether something opens the window for a number of messages.
func (w Window) Counted() bool {
	for _, o := range w.Opens {
		if o.Count > 0 {
			return true
		}
	}
	return false
}

// opened is an anchor with its rule.
type opened struct {
	Anchor
	Opening
	place int // among the anchors
}

// end is when it is over; zero: never.
func (o opened) end() event.Time {
	switch {
	case !o.Until.IsZero():
		return o.Until
	case o.For == 0:
		return event.Time{}
	}
	return o.At.Add(time.Duration(o.For))
}

// opened returns the anchors that the window has a rule for, the one that ends last at the end.
func (w Window) opened(anchors Anchors) (out []opened) {
	for i, a := range anchors {
		if rule, ok := w.Opens[a.Kind]; ok {
			out = append(out, opened{a, rule, i})
		}
	}
	slices.SortStableFunc(out, func(a, b opened) int {
		if a.end().IsZero() != b.end().IsZero() {
			return map[bool]int{true: 1, false: -1}[a.end().IsZero()]
		}
		return a.end().Compare(b.end().Time)
	})
	return out
}

// lasting returns those that are not over.
func (w Window) lasting(anchors Anchors, now time.Time) []opened {
	return slices.DeleteFunc(w.opened(anchors), func(o opened) bool { return !o.end().IsZero() && !now.Before(o.end().Time) })
}
