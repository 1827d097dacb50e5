package join

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// world is a store with a clock that stands still until it is moved.
type world struct {
	*Joins
	mu  sync.Mutex
	now time.Time
}

var ch = channel.Channel{ID: "ch_sms", Tenant: "tnt_a"}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Now().Truncate(time.Second)} // the store removes what has expired by its own clock
	w.Joins = New(storetest.New(t, Spec(event.SMS)), event.SMS, func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now })
	return w
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// part is part n of so many; id tells messages with the same reference apart.
func part(id, n, total int, text string) event.Inbound {
	ref := fmt.Sprintf("%d-%d", id, n)
	return event.Inbound{
		Type: event.MessageReceived, Ref: ref, ExternalID: ref, Peer: "+447700900123",
		Content: &event.Content{Type: event.Text, Text: text}, Piece: &event.Piece{Ref: "447700900999:7", Part: n, Total: total},
	}
}

// take takes a part as a call does: what comes out is published, and that is said.
func (w *world) take(t *testing.T, e event.Inbound) (said []string) {
	t.Helper()
	got, err := w.Take(t.Context(), ch, e)
	if err != nil {
		t.Fatal(err)
	}
	return w.publish(t, got)
}

func (w *world) publish(t *testing.T, got Taken) (said []string) {
	t.Helper()
	for _, e := range got.Events {
		if e.Piece != nil {
			t.Errorf("%s is still a part", e.Ref)
		}
		said = append(said, e.Ref+" "+e.Content.Text)
	}
	if got.ID != "" {
		if err := w.Published(t.Context(), got.ID); err != nil {
			t.Fatal(err)
		}
	}
	return said
}

// look does what is due.
func (w *world) look(t *testing.T) (said []string) {
	t.Helper()
	due, err := w.Due(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range due {
		got, err := w.Close(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, w.publish(t, got)...)
	}
	return said
}

func TestPartsBecomeOneMessage(t *testing.T) {
	t.Parallel()
	type step struct {
		wait time.Duration
		e    event.Inbound // none: what is due is done
		want []string
	}
	one, two, three := part(1, 1, 3, "a"), part(1, 2, 3, "b"), part(1, 3, 3, "c")
	file := part(1, 2, 2, "")
	file.Content = &event.Content{Type: event.Unsupported, Raw: []byte(`{"data":"00"}`)}
	for name, steps := range map[string][]step{
		"in order":             {{e: one}, {e: two}, {e: three, want: []string{"1-1 abc"}}, {wait: Patience}},
		"in any order":         {{e: three}, {e: one}, {e: two, want: []string{"1-1 abc"}}},
		"each part twice":      {{e: one}, {e: one}, {e: two}, {e: two}, {e: three, want: []string{"1-1 abc"}}, {e: three}, {e: one}},
		"the last is missing":  {{e: one}, {e: two}, {wait: Patience, want: []string{"1-1 ab[…]"}}, {wait: Patience}},
		"the first is missing": {{e: two}, {e: three}, {wait: Patience, want: []string{"1-2 […]bc"}}},
		"one in between":       {{e: one}, {e: three}, {wait: Patience, want: []string{"1-1 a[…]c"}}},
		"two at the end":       {{e: one}, {wait: Patience, want: []string{"1-1 a[…]"}}},
		"one comes late":       {{e: one}, {e: two}, {wait: Patience, want: []string{"1-1 ab[…]"}}, {e: three, want: []string{"1-3 c"}}, {e: two}},
		"not due yet":          {{e: one}, {wait: Patience - time.Second}, {e: two}, {e: three, want: []string{"1-1 abc"}}},
		"the reference again": {
			{e: one}, {e: two}, {e: three, want: []string{"1-1 abc"}},
			{e: part(2, 1, 3, "d")}, {e: part(2, 3, 3, "f")}, {e: part(2, 2, 3, "e"), want: []string{"2-1 def"}},
		},
		"the reference again, too early": {
			{e: one}, {e: three},
			{e: part(2, 1, 3, "d"), want: []string{"1-1 a[…]c"}}, {e: part(2, 2, 3, "e")}, {e: part(2, 3, 3, "f"), want: []string{"2-1 def"}},
		},
		"the reference again after a message with a hole": {
			{e: one}, {wait: Patience, want: []string{"1-1 a[…]"}},
			{wait: again, e: part(2, 2, 3, "e")}, {e: part(2, 1, 3, "d")}, {e: part(2, 3, 3, "f"), want: []string{"2-1 def"}},
		},
		"a part that is no text":  {{e: part(1, 1, 2, "a")}, {e: file, want: []string{"1-1 "}}},
		"no part at all":          {{e: part(1, 1, 1, "a"), want: []string{"1-1 a"}}},
		"a part of too many":      {{e: part(1, 1, 256, "a"), want: []string{"1-1 a"}}},
		"a part beyond the end":   {{e: part(1, 4, 3, "a"), want: []string{"1-4 a"}}},
		"a part that is too long": {{e: part(1, 1, 2, strings.Repeat("a", maxText+1)), want: []string{"1-1 " + strings.Repeat("a", maxText+1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n, s := range steps {
				w.pass(s.wait)
				var got []string
				if s.e.Piece != nil {
					got = w.take(t, s.e)
				} else {
					got = w.look(t)
				}
				if !slices.Equal(got, s.want) {
					t.Fatalf("step %d: said %q, want %q", n+1, got, s.want)
				}
			}
		})
	}
}

// Whatever a process did before it ended, the provider calls again or the message is due: it is published, and always as the same one.
func TestP1_AProcessThatEndsLosesNoPart(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(t *testing.T, w *world) []string{
		"the last part comes again": func(t *testing.T, w *world) []string { return w.take(t, part(1, 2, 2, "b")) },
		"nobody calls again":        func(t *testing.T, w *world) []string { w.pass(Patience); return w.look(t) },
	} {
		w := newWorld(t)
		w.take(t, part(1, 1, 2, "a"))
		first, err := w.Take(t.Context(), ch, part(1, 2, 2, "b")) // published perhaps, and nothing said
		if err != nil || len(first.Events) != 1 {
			t.Fatalf("%s: %+v, %v", name, first, err)
		}
		if got := after(t, w); !slices.Equal(got, []string{"1-1 ab"}) {
			t.Errorf("%s: said %q", name, got)
		}
		if got := w.take(t, part(1, 2, 2, "b")); got != nil {
			t.Errorf("%s: said again %q", name, got)
		}
	}
}

// However the parts of a message come, in whatever order, twice, to several processes at once: one message comes of them.
func TestP5_ManyProcessesMakeOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const total = 12
	want := ""
	var calls []event.Inbound
	for n := 1; n <= total; n++ {
		text := strconv.Itoa(n) + " "
		want += text
		calls = append(calls, part(1, n, total, text), part(1, n, total, text))
	}
	rand.Shuffle(len(calls), func(a, b int) { calls[a], calls[b] = calls[b], calls[a] })
	said := map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, e := range calls {
		all.Go(func() {
			got, err := w.Take(context.WithoutCancel(t.Context()), ch, e)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, e := range got.Events {
				said[e.Ref+" "+e.Content.Text] = true
			}
			if got.ID != "" {
				if err := w.Published(t.Context(), got.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(said) != 1 || !said["1-1 "+want] {
		t.Errorf("said %v, want %q", said, want)
	}
}
