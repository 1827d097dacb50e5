package measure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/target"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
)

// callers is how many do the same thing at once for the baseline.
const callers = 64

// Baseline measures what this machine gives at best, in the same run: the parts of which an accepted webhook is made, each alone.
func (b *Bench) Baseline(ctx context.Context) (*report.Table, error) {
	t := &report.Table{
		Title: "Baseline", Header: []string{"what", "callers", "per second", "p50", "p99"},
		Note: "What the parts give alone, on this machine in this run.",
	}
	for _, part := range []func(context.Context, *report.Table) error{b.echo, b.produce, b.insert} {
		if err := part(ctx, t); err != nil {
			return t, err
		}
	}
	return t, nil
}

// echo is net/http that reads a body and answers.
func (b *Bench) echo(ctx context.Context, t *report.Table) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	addr, err := stand.Address()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "echo", addr)
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	}()
	to, err := target.Load("whatsapp")
	if err != nil {
		return err
	}
	row := map[string]string{"channel": "ch_1", "account": "1", "secret": "x"}
	_, j, err := aim(to.With(map[string]string{"base": "http://" + addr, "secret": "x"}, row))
	if err != nil {
		return err
	}
	r, err := load.Closed(ctx, j, callers, 500*time.Millisecond, b.brief(), func() {})
	if err != nil {
		return err
	}
	t.Add("HTTP alone: net/http reads the same webhook and answers", callers, r.Rate(), r.Lat.At(.5), r.Lat.At(.99))
	return nil
}

// brief is how long a part of the baseline is measured.
func (b *Bench) brief() time.Duration { return min(b.For, 3*time.Second) }

// many runs f from many callers and counts.
func (b *Bench) many(t *report.Table, what string, f func(n int64) error) error {
	end := time.Now().Add(b.brief())
	var next atomic.Int64
	all := make([]load.Latencies, callers)
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for time.Now().Before(end) && errs[c] == nil {
				began := time.Now()
				errs[c] = f(next.Add(1))
				all[c] = append(all[c], time.Since(began))
			}
		})
	}
	wg.Wait()
	var l load.Latencies
	for _, x := range all {
		l = append(l, x...)
	}
	l.Sort()
	t.Add(what, callers, float64(len(l))/b.brief().Seconds(), l.At(.5), l.At(.99))
	return errors.Join(errs...)
}

// produce writes records of 1 KB to the broker, acknowledged by all.
func (b *Bench) produce(ctx context.Context, t *report.Table) (err error) {
	s, err := b.part(ctx, "baseline")
	if err != nil {
		return err
	}
	defer b.done(s, &err)
	k, err := kafka.Open(ctx, kafka.Config{Brokers: strings.Split(s.Servers["TRIBUTARY_KAFKA_BROKERS"], ","), ClientID: "bench", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	return b.many(t, "Kafka alone: one record of 1 KB, acks=all", b.publish(ctx, k))
}

func (b *Bench) publish(ctx context.Context, k bus.Bus) func(int64) error {
	text := strings.Repeat("x", 1000)
	return func(n int64) error {
		id := fmt.Sprintf("evt_bench_%d", n)
		e := event.New(id, "bench", "bench", "bench", id, event.At(time.Now()), map[string]string{"text": text})
		return k.Publish(ctx, event.Record{Topic: event.TopicMedia(event.WhatsApp), Key: id, Event: e})
	}
}

// insert puts documents of 0.5 KB into a SQLite file. It is the store's driver alone, without anything that a change implies.
func (b *Bench) insert(ctx context.Context, t *report.Table) (err error) {
	dir, err := b.fresh("baseline")
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, filepath.Join(dir, "baseline.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(), os.RemoveAll(dir)) }()
	spec := store.Spec{Name: "baseline", Indexes: []store.Index{{Name: "by_text", Fields: []string{"tenant", "text"}}}}
	if err := db.Ensure(ctx, spec); err != nil {
		return err
	}
	docs := store.NewCollection[document](db, spec)
	text := strings.Repeat("x", 400)
	return b.many(t, "Store alone: one document of 0.5 KB with one index, in a file", func(n int64) error {
		d := &document{Text: text}
		d.ID, d.Tenant = fmt.Sprintf("doc_%d", n), "bench"
		return docs.Insert(ctx, d)
	})
}

type document struct {
	store.Meta
	Text string `json:"text"`
}
