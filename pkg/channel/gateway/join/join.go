// Package join puts messages together that networks carry in parts and a provider hands over one by one (event.Piece). A part is in the
// store before its call is answered; the message is published once all of its parts are there, or, with a mark where parts are missing,
// when the others have waited long enough.
package join

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	// Patience is how long a message waits for its last part, from its first one on.
	Patience = 5 * time.Minute

	// LookEvery is how often a process looks for messages that have waited long enough.
	LookEvery = 10 * time.Second

	kept     = 25 * time.Hour   // providers call again for a day
	again    = 15 * time.Minute // after that, another part with the same reference is of another message: networks count from 0 to 255
	atOnce   = 100
	maxParts = 255     // what the header of a part can count (3GPP TS 23.040, 9.2.3.24.1)
	maxText  = 2 << 10 // bytes of a part; one has at most 160 characters

	// Missing stands in a text for parts that have not come.
	Missing = "[…]"
)

// Spec declares the collection of a type.
func Spec(t event.ChannelType) store.Spec {
	return store.Spec{Name: "joins_" + string(t), Expires: true, Indexes: []store.Index{{Name: "by_due", Fields: []string{"due_at"}, Has: "due_at"}}}
}

// Message is a message of which parts have come.
type Message struct {
	store.Meta
	ChannelID string     `json:"channel_id"`
	Total     int        `json:"total"`
	Parts     []Part     `json:"parts"` // in their order
	Since     event.Time `json:"since"` // when the first of them came
	// Closed says that the message is what its parts are now: they were all there, or its time was over. What comes later is a message of
	// its own.
	Closed bool       `json:"closed,omitempty"`
	DueAt  event.Time `json:"due_at,omitzero"` // when it is published at the latest; zero once it was
	// Before is the message that had the reference before this one and still waited for a part.
	Before *event.Inbound `json:"before,omitempty"`
}

// Part is a part that has come.
type Part struct {
	N     int           `json:"n"`
	Event event.Inbound `json:"event"`
}

// Joins puts the messages of a channel service together. It needs the collection [Spec].
type Joins struct {
	docs *store.Collection[Message]
	now  func() time.Time
}

// New returns the joins of a type in a store.
func New(db store.DB, t event.ChannelType, now func() time.Time) *Joins {
	return &Joins{docs: store.NewCollection[Message](db, Spec(t)), now: now}
}

// Taken is what became of a part: messages that are to be published now, and the document that has to know once they were.
type Taken struct {
	Events []event.Inbound
	ID     string // for [Joins.Published]; empty: nothing has to know
}

// Take takes a part. What it returns with Events is published before the call is answered, and then said to Published: a process that
// ends in between has the provider call again, or the message comes with Due. Taking a part again changes nothing.
func (j *Joins) Take(ctx context.Context, ch channel.Channel, e event.Inbound) (Taken, error) {
	piece := *e.Piece
	e.Piece = nil
	if piece.Total < 2 || piece.Total > maxParts || piece.Part < 1 || piece.Part > piece.Total || e.Content == nil || len(e.Content.Text) > maxText {
		return Taken{Events: []event.Inbound{e}}, nil
	}
	now := event.At(j.now())
	id := event.DeriveID("join", ch.Tenant, ch.ID, e.Peer, piece.Ref, strconv.Itoa(piece.Total))
	fresh := func() *Message {
		m := &Message{ChannelID: ch.ID, Total: piece.Total}
		m.Tenant = ch.Tenant
		return m
	}
	late := false
	m, err := j.docs.Upsert(ctx, id, fresh, func(m *Message) error {
		late = false
		switch m.fits(piece.Part, e.Ref, now) {
		case there:
			return store.Unchanged
		case tooLate:
			late = true
			return store.Unchanged
		case another:
			m.begin(piece.Total)
		}
		m.add(Part{piece.Part, e}, now)
		return nil
	})
	switch {
	case err != nil:
		return Taken{}, err
	case late:
		return Taken{Events: []event.Inbound{e}}, nil
	}
	return m.pending(), nil
}

// Due returns messages that have waited long enough, and those that nobody has published since they were complete.
func (j *Joins) Due(ctx context.Context) ([]*Message, error) {
	return j.docs.Due(ctx, "due_at", event.At(j.now()), Patience, atOnce)
}

// Close makes a message what its parts are now, and returns what is to be published.
func (j *Joins) Close(ctx context.Context, id string) (Taken, error) {
	m, err := j.docs.Update(ctx, id, func(m *Message) error {
		if m.Closed {
			return store.Unchanged
		}
		m.Closed = true
		return nil
	})
	if err != nil {
		return Taken{}, err
	}
	return m.pending(), nil
}

// Published says that everything of a message was published.
func (j *Joins) Published(ctx context.Context, id string) error {
	_, err := j.docs.Update(ctx, id, func(m *Message) error {
		if m.Before == nil && (!m.Closed || m.DueAt.IsZero()) {
			return store.Unchanged
		}
		m.Before = nil
		if m.Closed {
			m.DueAt = event.Time{}
		}
		return nil
	})
	return err
}

// fit is how a part fits to those that are there.
type fit int

const (
	missing fit = iota // it is one that has not come
	there              // it has come before
	tooLate            // the message was closed without it
	another            // it begins another message
)

func (m *Message) fits(n int, ref string, now event.Time) fit {
	at := slices.IndexFunc(m.Parts, func(p Part) bool { return p.N == n })
	switch {
	case slices.ContainsFunc(m.Parts, func(p Part) bool { return p.Event.Ref == ref }):
		return there
	case at >= 0:
		return another
	case m.Closed && now.After(m.Since.Add(again)):
		return another
	case m.Closed:
		return tooLate
	}
	return missing
}

// begin makes room for another message with the same reference. One that still waits is published as it is.
func (m *Message) begin(total int) {
	if !m.DueAt.IsZero() {
		whole := m.whole()
		m.Before = &whole
	}
	m.Total, m.Parts, m.Closed, m.DueAt, m.Since = total, nil, false, event.Time{}, event.Time{}
}

func (m *Message) add(p Part, now event.Time) {
	if len(m.Parts) == 0 {
		m.Since, m.DueAt = now, now.Add(Patience)
	}
	at, _ := slices.BinarySearchFunc(m.Parts, p.N, func(have Part, n int) int { return have.N - n })
	m.Parts = slices.Insert(m.Parts, at, p)
	m.Closed = len(m.Parts) == m.Total
	m.ExpiresAt = now.Add(kept)
}

// pending is what is still to be published of the document.
func (m *Message) pending() (t Taken) {
	if m.Before != nil {
		t.Events = append(t.Events, *m.Before)
	}
	if m.Closed && !m.DueAt.IsZero() {
		t.Events = append(t.Events, m.whole())
	}
	if len(t.Events) > 0 {
		t.ID = m.ID
	}
	return t
}

// whole is the message that the parts are. It is known by the first of them; where one is no text, it is a placeholder with that.
func (m *Message) whole() event.Inbound {
	e := m.Parts[0].Event
	var text strings.Builder
	next := 1
	for _, p := range m.Parts {
		if p.Event.Content.Type != event.Text {
			e.Content = p.Event.Content
			return e
		}
		gap(&text, next, p.N)
		text.WriteString(p.Event.Content.Text)
		next = p.N + 1
	}
	gap(&text, next, m.Total+1)
	e.Content = &event.Content{Type: event.Text, Text: text.String()}
	return e
}

// gap writes the mark where parts are missing.
func gap(text *strings.Builder, want, have int) {
	if want < have {
		text.WriteString(Missing)
	}
}
