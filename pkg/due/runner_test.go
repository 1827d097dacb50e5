package due

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
)

var start = event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

type doc struct {
	ID string `json:"id"`
	Timers
	Holder string `json:"holder,omitempty"`
}

// docs is a collection in memory. before is called at the beginning of an Update, as another replica would come in between.
type docs struct {
	all    map[string]*doc
	before func(id string)
}

func (d *docs) Due(_ context.Context, _ string, now event.Time, most time.Duration, limit int) (out []*doc, err error) {
	for _, x := range d.all {
		if !x.DueAt.IsZero() && Passed(x.DueAt, now, most) {
			found := *x
			out = append(out, &found)
		}
	}
	slices.SortFunc(out, func(a, b *doc) int { return strings.Compare(a.DueAt.String()+a.ID, b.DueAt.String()+b.ID) })
	return out[:min(limit, len(out))], nil
}

func (d *docs) Update(_ context.Context, id string, change func(*doc) error) (*doc, error) {
	if d.before != nil {
		d.before(id)
	}
	next := *d.all[id]
	if err := change(&next); err != nil {
		return nil, err
	}
	d.all[id] = &next
	return &next, nil
}

// world is a runner of two kinds of timers: one whose cause is a holder, one that somebody chose.
type world struct {
	*Runner[doc]
	docs  *docs
	now   event.Time
	fired []string
}

func newWorld() *world {
	w := &world{docs: &docs{all: map[string]*doc{}}, now: start}
	note := func(d *doc, t Timer, _ event.Time) error {
		if d.ID == "broken" {
			return errors.New("broken")
		}
		if t.Cause == d.Holder {
			w.fired = append(w.fired, d.ID+":"+t.Kind)
		}
		return nil
	}
	w.Runner = Runner[doc]{
		Docs: w.docs, Now: func() event.Time { return w.now }, Of: func(d *doc) (string, *Timers) { return d.ID, &d.Timers },
		Kinds: map[string]Kind[doc]{"answer": {Most: time.Hour, Fire: note}, "snooze": {Most: AnyTime, Fire: note}},
	}.New()
	return w
}

func (w *world) set(id, kind string, after time.Duration, cause string) {
	d := w.docs.all[id]
	if d == nil {
		d = &doc{ID: id}
		w.docs.all[id] = d
	}
	d.StartTimer(kind, start.Add(after), cause)
}

func TestTimersFireOnceInOrderAndOnlyForTheirCause(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.set("b", "answer", 2*time.Minute, "")
	w.set("a", "answer", time.Minute, "")
	w.set("a", "snooze", 3*time.Minute, "")
	w.set("gone", "answer", time.Minute, "somebody who has it no more")
	w.set("newer", "of a newer version", time.Minute, "")
	w.set("broken", "answer", time.Minute, "")
	w.set("later", "snooze", 9000*24*time.Hour, "")
	w.set("again", "answer", time.Minute, "")
	w.set("again", "answer", 4*time.Minute, "") // in place of the one before
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{59 * time.Second, nil}, {time.Minute, []string{"a:answer"}}, {time.Minute, nil}, {3 * time.Minute, []string{"b:answer", "a:snooze"}},
		{4 * time.Minute, []string{"again:answer"}},
	} {
		w.now, w.fired = start.Add(step.after), nil
		if err := w.Fire(t.Context()); (err != nil) != (step.after >= time.Minute) {
			t.Errorf("after %s: %v", step.after, err)
		}
		if diff := cmp.Diff(step.want, w.fired); diff != "" {
			t.Errorf("after %s: (-want +got)\n%s", step.after, diff)
		}
	}
	if d := w.docs.all["gone"]; len(d.Timers.Timers) != 0 || !d.DueAt.IsZero() {
		t.Errorf("a timer whose cause is gone goes on: %+v", d.Timers)
	}
	if _, ok := w.docs.all["newer"].Timer("of a newer version"); !ok {
		t.Error("the timer of a newer version was taken out")
	}
}

func TestManyTimersAreFiredInOneCall(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for n := range 3 * page / 2 {
		w.set(string(rune('a'+n%26))+string(rune('a'+n/26)), "answer", time.Second, "")
	}
	w.now = start.Add(time.Minute)
	if err := w.Fire(t.Context()); err != nil || len(w.fired) != 3*page/2 {
		t.Errorf("%d fired, %v", len(w.fired), err)
	}
}

// Between the look and the change another replica may fire the timer, or somebody stop it.
func TestP3_ATimerFiresOnceWhateverReplicasDo(t *testing.T) {
	t.Parallel()
	w, other := newWorld(), newWorld()
	other.docs.all, other.now = w.docs.all, start.Add(time.Minute)
	w.set("a", "answer", time.Second, "")
	w.set("b", "answer", time.Second, "")
	w.docs.before = func(id string) {
		w.docs.before = nil
		if id == "a" {
			_ = other.Fire(context.Background())
		}
	}
	w.now = start.Add(time.Minute)
	if err := w.Fire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := append(w.fired, other.fired...); !slices.Equal(got, []string{"a:answer", "b:answer"}) {
		t.Errorf("fired %v", got)
	}
}

// The clock was set back by two days after a timer of an hour was started: it does not wait for two days. What somebody chose does.
func TestP12_ATimerDoesNotWaitForAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]string{"answer": {"a:answer"}, "snooze": nil} {
		w := newWorld()
		w.most = map[string]time.Duration{kind: w.most[kind]}
		w.set("a", kind, time.Hour, "")
		w.now = start.Add(-48 * time.Hour)
		if err := w.Fire(t.Context()); err != nil || !slices.Equal(w.fired, want) {
			t.Errorf("%s: fired %v, %v", kind, w.fired, err)
		}
	}
}

func TestTimersOfEarlierVersionsAreRead(t *testing.T) {
	t.Parallel()
	var d doc
	if err := json.Unmarshal([]byte(`{"id":"a","due_at":"2026-03-01T12:01:00.000Z","due_kind":"snooze"}`), &d); err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.docs.all["a"], w.now = &d, start.Add(time.Minute)
	if err := w.Fire(t.Context()); err != nil || !slices.Equal(w.fired, []string{"a:snooze"}) {
		t.Errorf("fired %v, %v", w.fired, err)
	}
	if b, _ := json.Marshal(w.docs.all["a"]); string(b) != `{"id":"a"}` {
		t.Errorf("%s", b)
	}
}
