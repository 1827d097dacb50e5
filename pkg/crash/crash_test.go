package crash

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// died is what a test's fuse throws instead of a signal.
type died struct{}

func lit(t *testing.T, point string) *Fuse {
	t.Helper()
	p, err := Parse(point)
	if err != nil {
		t.Fatal(err)
	}
	f := New(p)
	f.die = func() { panic(died{}) }
	return f
}

// dies reports whether f ends the process.
func dies(f func()) (yes bool) {
	defer func() {
		if v := recover(); v != nil {
			_, yes = v.(died)
			if !yes {
				panic(v)
			}
		}
	}()
	f()
	return false
}

func TestAPointIsReadOrRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "after", "after:publish:tributary.inbound", "during:publish:x:1", "after:sneeze:x:1", "after:publish::1", "before:call:provider:0", "before:call:provider:x"} {
		if p, err := Parse(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, p)
		}
	}
	p, err := Parse("after:publish:tributary.inbound:3")
	if want := (Point{true, Publish, "tributary.inbound", 3}); err != nil || p != want {
		t.Errorf("got %+v, %v", p, err)
	}
}

type memory struct {
	bus.Bus
	published int
}

func (m *memory) Publish(_ context.Context, recs ...event.Record) error {
	m.published += len(recs)
	return nil
}

func (m *memory) Consume(ctx context.Context, s bus.Subscription) error {
	h := s.Handle
	if s.Assign != nil {
		h, _, _ = s.Assign(ctx, bus.Assignment{})
	}
	return h(ctx, bus.Message{Topic: "in"})
}

func TestPublishing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		point string
		want  int // records written when it dies
	}{{"before:publish:b:2", 2}, {"after:publish:b:2", 4}} {
		m := &memory{}
		b := lit(t, c.point).Bus(m)
		if dies(func() { _ = b.Publish(t.Context(), event.Record{Topic: "a"}, event.Record{Topic: "b"}) }) {
			t.Fatalf("%s: died at the first", c.point)
		}
		if !dies(func() { _ = b.Publish(t.Context(), event.Record{Topic: "b"}, event.Record{Topic: "b"}) }) || m.published != c.want {
			t.Errorf("%s: %d records are written", c.point, m.published)
		}
	}
}

func TestHandling(t *testing.T) {
	t.Parallel()
	handled := 0
	h := func(context.Context, bus.Message) error { handled++; return nil }
	assign := func(context.Context, bus.Assignment) (bus.Handler, func(), error) { return h, nil, nil }
	for _, c := range []struct {
		point   string
		sub     bus.Subscription
		handled int
	}{
		{"before:handle:in:1", bus.Subscription{Handle: h}, 0}, {"after:handle:in:1", bus.Subscription{Handle: h}, 1},
		{"before:handle:group:1", bus.Subscription{Group: "group", Assign: assign}, 0}, {"after:handle:group:1", bus.Subscription{Group: "group", Assign: assign}, 1},
	} {
		handled = 0
		if !dies(func() { _ = lit(t, c.point).Bus(&memory{}).Consume(t.Context(), c.sub) }) || handled != c.handled {
			t.Errorf("%s: handled %d", c.point, handled)
		}
	}
	failing := func(context.Context, bus.Message) error { return errors.New("no") }
	if dies(func() {
		_ = lit(t, "after:handle:in:1").Bus(&memory{}).Consume(t.Context(), bus.Subscription{Handle: failing})
	}) {
		t.Error("what failed was not done")
	}
}

type doc struct {
	store.Meta
	N int `json:"n"`
}

// TestWriting goes through the life of a document with a fact: inserted, updated, cleared.
func TestWriting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		point string
		diesAt,
		n, pending int // what is stored then
	}{
		{"before:insert:docs:1", 0, -1, 0}, {"after:insert:docs:1", 0, 0, 0}, {"before:update:docs:1", 1, 0, 0}, {"after:update:docs:1", 1, 1, 1},
		{"before:clear:docs:1", 2, 1, 1}, {"after:clear:docs:1", 2, 1, 0}, {"after:update:docs:2", 3, 2, 0},
	} {
		t.Run(c.point, func(t *testing.T) {
			t.Parallel()
			spec := store.Spec{Name: "docs", Facts: true}
			bare := storetest.New(t, spec)
			db := lit(t, c.point).DB(bare)
			facts := store.NewApplier(db, &memory{}, nil)
			docs := store.NewCollection[doc](db, spec, store.Facts(facts))
			count := func(fact bool) func(*doc) error {
				return func(d *doc) error {
					if d.N++; fact {
						d.Emit("topic", "key", event.Event{ID: "evt", Type: "t"})
					}
					return nil
				}
			}
			for i, step := range []func(){
				func() { d := &doc{}; d.ID = "one"; _ = docs.Insert(t.Context(), d) },
				func() { _, _ = docs.Update(t.Context(), "one", count(true)) },
				func() { _ = facts.Flush(t.Context()) },
				func() { _, _ = docs.Update(t.Context(), "one", count(false)) },
			} {
				if died := dies(step); died != (i == c.diesAt) {
					t.Fatalf("step %d: died: %v", i, died)
				} else if died {
					break
				}
			}
			raws, err := bare.Get(t.Context(), "docs", "one")
			if err != nil {
				t.Fatal(err)
			}
			if c.n < 0 {
				if raws[0].ID != "" {
					t.Error("it is there")
				}
				return
			}
			got, err := store.NewCollection[doc](bare, spec).Get(t.Context(), "one")
			if err != nil || got.N != c.n || len(got.Pending) != c.pending {
				t.Errorf("n %d, %d pending (%v); want %d, %d", got.N, len(got.Pending), err, c.n, c.pending)
			}
		})
	}
}

func TestCallsAndAnswers(t *testing.T) {
	t.Parallel()
	for point, want := range map[string]int{"before:call:provider:2": 1, "after:call:provider:2": 2} {
		asked := 0
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		defer s.Close()
		c := &http.Client{Transport: lit(t, point).Transport()(http.DefaultTransport)}
		call := func() {
			if resp, err := c.Get(s.URL); err == nil {
				_ = resp.Body.Close()
			}
		}
		if dies(call) || !dies(call) || asked != want {
			t.Errorf("%s: the provider was asked %d times", point, asked)
		}
	}
	for point, want := range map[string]int{"before:answer:public:2": 3, "after:answer:public:2": 4} {
		f, written, atDeath := lit(t, point), 0, -1
		f.die = func() { atDeath = written }
		c := &watchedConn{recorder{written: &written}, f}
		for _, s := range []string{"HTTP/1.1 200 OK", "HTTP/1.1 503 No", "more of it", "HTTP/1.1 202 Accepted"} {
			if _, err := c.Write([]byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		if atDeath != want {
			t.Errorf("%s: died after %d writes, want %d", point, atDeath, want)
		}
	}
}

// recorder is a connection that counts what is written to it.
type recorder struct {
	net.Conn
	written *int
}

func (r recorder) Write(b []byte) (int, error) {
	*r.written++
	return len(b), nil
}

func TestNoPointNoDecoration(t *testing.T) {
	t.Parallel()
	var f *Fuse
	if b := (&memory{}); f.Bus(b) != bus.Bus(b) || f.DB(nil) != nil || f.Transport() != nil || f.Listener(nil) != nil {
		t.Error("without a point nothing is put between")
	}
}

// TestNoReleasedBinaryCanCrashItself asks the compiler what a binary is made of.
func TestNoReleasedBinaryCanCrashItself(t *testing.T) {
	t.Parallel()
	const me = "github.com/tributaryhq/tributary/pkg/crash"
	for tags, want := range map[string]bool{"": false, "crashpoints": true} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, "github.com/tributaryhq/tributary/pkg/run").Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(strings.Fields(string(out)), me); got != want {
			t.Errorf("with the tags %q it has crash points: %v", tags, got)
		}
	}
}
