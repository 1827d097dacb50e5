package silence

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// book has the channels of a platform.
type book map[string]channel.Channel

func (b book) Channel(_ context.Context, id string) (channel.Keyed, error) {
	ch, ok := b[id]
	if !ok {
		return channel.Keyed{}, fault.New(fault.Gone, "not_found", "no such channel")
	}
	return channel.Keyed{Channel: ch}, nil
}

// platform is two processes of a type on one store, and the time.
type platform struct {
	*testing.T
	now      time.Time
	db       store.DB
	channels book
	a, b     *Watch
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{T: t, now: time.Now().Truncate(time.Second), db: storetest.New(t, Spec), channels: book{
		"ch_1":     {ID: "ch_1", Type: event.Line, Enabled: true, Tenant: "t1"},
		"ch_2":     {ID: "ch_2", Type: event.Line, Enabled: true, Tenant: "t1"},
		"ch_free":  {ID: "ch_free", Type: event.Line, Enabled: true, Tenant: "t1"},
		"ch_other": {ID: "ch_other", Type: event.Telegram, Enabled: true, Tenant: "t1"},
	}}
	p.a, p.b = p.process(), p.process()
	return p
}

func (p *platform) process() *Watch {
	return New(Deps{
		Type: event.Line, Allowed: map[string]time.Duration{"ch_1": time.Hour, "ch_2": time.Hour, "ch_other": time.Hour, "ch_gone": time.Hour},
		Channels: p.channels, DB: p.db, Now: func() time.Time { return p.now }, Log: slog.New(slog.DiscardHandler),
	})
}

// look lets both processes look, and compares what each shows.
func (p *platform) look(when string, want map[string]time.Duration) {
	p.Helper()
	for range 2 { // what one has heard, the other learns when it looks after it
		for _, w := range []*Watch{p.a, p.b} {
			if err := w.Look(p.Context()); err != nil {
				p.Fatal(err)
			}
		}
	}
	for name, w := range map[string]*Watch{"a": p.a, "b": p.b} {
		if got := w.silent(); !maps.Equal(got, want) {
			p.Errorf("%s: process %s shows %v, want %v", when, name, got, want)
		}
	}
}

func (p *platform) write(w *Watch, id string, typ event.Type) {
	w.Note(p.channels[id], event.Inbound{Type: typ})
}

func TestHowLongNobodyHasWritten(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.look("at the start", map[string]time.Duration{"ch_1": 0, "ch_2": 0})
	p.now = p.now.Add(3 * time.Hour)
	p.look("nobody has written since", map[string]time.Duration{"ch_1": 3 * time.Hour, "ch_2": 3 * time.Hour})
	p.write(p.a, "ch_1", event.MessageReceived)
	p.write(p.a, "ch_2", event.ReceiptReceived)
	p.write(p.b, "ch_free", event.MessageReceived)
	p.now = p.now.Add(time.Minute)
	p.look("one has, to one process", map[string]time.Duration{"ch_1": time.Minute, "ch_2": 3*time.Hour + time.Minute})
	p.now = p.now.Add(time.Hour)
	p.a, p.b = p.process(), p.process()
	p.look("after a start of both", map[string]time.Duration{"ch_1": time.Hour + time.Minute, "ch_2": 4*time.Hour + time.Minute})
	off := p.channels["ch_2"]
	off.Enabled = false
	p.channels["ch_2"] = off
	p.look("one is switched off", map[string]time.Duration{"ch_1": time.Hour + time.Minute})
	off.Enabled = true
	p.channels["ch_2"] = off
	p.look("and on again", map[string]time.Duration{"ch_1": time.Hour + time.Minute, "ch_2": 0})
	for range 40 { // days
		p.now = p.now.Add(24 * time.Hour)
		p.look("every day", p.a.silent())
	}
	if doc, err := p.a.docs.Get(t.Context(), "ch_1"); err != nil || !doc.ExpiresAt.Time.After(p.now) {
		t.Errorf("after forty days the store forgets it: %+v, %v", doc, err)
	}
	delete(p.channels, "ch_1")
	p.look("it is deleted", map[string]time.Duration{"ch_2": 40 * 24 * time.Hour})
}

func TestWhatMayBeWatched(t *testing.T) {
	t.Parallel()
	many := make([]string, Most+1)
	for i := range many {
		many[i] = fmt.Sprintf("ch_%d=1h", i)
	}
	for name, c := range map[string]struct {
		entries []string
		n       int
		says    string
	}{
		"none":                    {nil, 0, ""},
		"two":                     {[]string{"ch_1=6h", "ch_2=90m"}, 2, ""},
		"as many as there may be": {many[:Most], Most, ""},
		"too many":                {many, 0, "at most 100"},
		"no time":                 {[]string{"ch_1"}, 0, "want <id of a channel>=<duration"},
		"no channel":              {[]string{"=6h"}, 0, "want <id"},
		"no duration":             {[]string{"ch_1=often"}, 0, "want <id"},
		"too short":               {[]string{"ch_1=59s"}, 0, "at least 1m0s"},
		"twice":                   {[]string{"ch_1=6h", "ch_1=7h"}, 0, "twice"},
	} {
		got, err := Parse(c.entries)
		if len(got) != c.n || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
