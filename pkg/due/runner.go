package due

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Documents are those of a collection that have timers.
type Documents[T any] interface {
	// Due returns documents whose time in a field has come, or lies further ahead than most: the earliest first.
	Due(ctx context.Context, field string, now event.Time, most time.Duration, limit int) ([]*T, error)
	// Update changes one document, by compare-and-set; change may be called again.
	Update(ctx context.Context, id string, change func(*T) error) (*T, error)
}

// Kind is what happens when the timer of a kind is over.
type Kind[T any] struct {
	// Most is how far ahead the timer is set at most, [AnyTime] where somebody chose the time. One that lies further ahead is over: the
	// clock was set back since. Among timers that somebody chose those cannot be looked for, so a [Runner] has kinds of one sort only.
	Most time.Duration
	// Fire changes the document, from which the timer was taken out. It asks whether the cause still holds, and does nothing if it does
	// not. It may start timers.
	Fire func(doc *T, t Timer, at event.Time) error
}

// Runner fires the timers of a collection. Every replica may run one: each timer fires once, by the compare-and-set of its document.
type Runner[T any] struct {
	Docs   Documents[T]
	Of     func(*T) (id string, timers *Timers)
	Kinds  map[string]Kind[T]
	Now    func() event.Time // a clock that never falls
	late   metric.Float64Histogram
	labels map[string]metric.MeasurementOption
	most   map[string]time.Duration
}

// page is how many documents are looked at before the next look.
const page = 100

// errIdle ends an Update that finds no timer over: another replica has fired it, or it was stopped.
var errIdle = errors.New("no timer is over")

// New prepares a runner.
func (r Runner[T]) New() *Runner[T] {
	var err error
	r.late, err = otel.Meter("tributary/due").Float64Histogram("tributary_timer_lateness", metric.WithUnit("s"),
		metric.WithDescription("how long after its time a timer has fired, by its kind"))
	if err != nil {
		otel.Handle(err)
	}
	r.labels, r.most = map[string]metric.MeasurementOption{}, map[string]time.Duration{}
	for kind, k := range r.Kinds {
		r.most[kind] = k.Most
		r.labels[kind] = metric.WithAttributeSet(attribute.NewSet(attribute.String("timer", kind)))
	}
	return &r
}

// Fire fires the timers that are over, the earliest first, until there is none. What fails is tried again at the next call, and does not
// hold up the others.
func (r *Runner[T]) Fire(ctx context.Context) error {
	for {
		now := r.Now()
		docs, err := r.Docs.Due(ctx, "due_at", now, r.furthest(), page)
		if err != nil {
			return err
		}
		fired := 0
		var failed error
		for _, d := range docs {
			switch err := r.fire(ctx, d, now); {
			case err == nil:
				fired++
			case !errors.Is(err, errIdle):
				failed = errors.Join(failed, err)
			}
		}
		if failed != nil || len(docs) < page || fired == 0 {
			return failed
		}
	}
}

// furthest is how far ahead a timer of any kind may be.
func (r *Runner[T]) furthest() (most time.Duration) {
	for _, m := range r.most {
		most = max(most, m)
	}
	return most
}

func (r *Runner[T]) fire(ctx context.Context, doc *T, now event.Time) error {
	id, timers := r.Of(doc)
	if len(timers.over(now, r.most)) == 0 {
		return errIdle
	}
	var over []Timer
	_, err := r.Docs.Update(ctx, id, func(d *T) error {
		_, timers := r.Of(d)
		if over = timers.over(now, r.most); len(over) == 0 {
			return errIdle
		}
		for _, t := range over {
			timers.StopTimer(t.Kind)
			if err := r.Kinds[t.Kind].Fire(d, t, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		for _, t := range over {
			r.late.Record(ctx, max(now.Sub(t.At.Time), 0).Seconds(), r.labels[t.Kind])
		}
	}
	return err
}
