package deliverystatus

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

var today = time.Now()

// deadTopic is the topic of dead letters with one partition: letters by offset.
type deadTopic struct {
	start int64
	all   []bus.Message
}

func (d *deadTopic) Partitions(context.Context, string) (int, error) { return 1, nil }

func (d *deadTopic) ReadFrom(_ context.Context, _ string, _ int, offset int64, limit int) ([]bus.Message, error) {
	if offset == bus.Oldest {
		offset = d.start
	}
	if offset < d.start {
		return nil, bus.ErrTrimmed
	}
	rest := d.all[offset:]
	return rest[:min(limit, len(rest))], nil
}

// die adds a letter that died so long before now.
func (d *deadTopic) die(ago time.Duration, change func(*bus.Message)) {
	n := len(d.all)
	m := bus.Message{
		Topic: event.TopicDead, Offset: int64(n), Time: today.Add(-ago), Dead: &bus.Dead{Reason: "poison", Topic: event.TopicInbound},
		Event: event.Event{ID: fmt.Sprint("evt_", n), Type: event.MessageReceived, Tenant: "t1"},
	}
	if change != nil {
		change(&m)
	}
	d.all = append(d.all, m)
}

func TestTheAgeOfTheOldestLetterThatWaits(t *testing.T) {
	t.Parallel()
	d := &deadTopic{}
	w := newWaiting(d, storetest.New(t, redrivenSpec), func() time.Time { return today })
	age := func(when string, want time.Duration) {
		t.Helper()
		if err := w.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.age(); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	redrive := func(offsets ...int) {
		t.Helper()
		var letters []bus.Message
		for _, o := range offsets {
			letters = append(letters, d.all[o])
		}
		if err := w.note(t.Context(), letters); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.age(); got != 0 {
		t.Errorf("before the first look: %s", got)
	}
	age("none", 0)
	d.die(9*time.Hour, func(m *bus.Message) { m.Event = event.Event{} })
	d.die(8*time.Hour, func(m *bus.Message) { m.Event.Tenant = "" })
	d.die(7*time.Hour, func(m *bus.Message) { m.Dead = nil })
	age("none that anybody can redrive", 0)
	d.die(5*time.Hour, nil)
	d.die(4*time.Hour, nil)
	d.die(3*time.Hour, nil)
	age("three", 5*time.Hour)
	redrive(4)
	age("not the oldest was redriven", 5*time.Hour)
	redrive(3, 4)
	age("the oldest was redriven", 3*time.Hour)
	d.start = 6
	age("the broker has dropped it", 0)
	for range 3 * lookPage {
		d.die(2*time.Hour, nil)
		redrive(len(d.all) - 1)
	}
	d.die(time.Hour, nil)
	age("behind many that were redriven", time.Hour)
	again := newWaiting(d, storetest.New(t, redrivenSpec), w.now)
	again.redriven = w.redriven
	w = again
	age("after a start", time.Hour)
}
