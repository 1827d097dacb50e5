package measure

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
)

const (
	hotMessages = 20_000
	hotOthers   = 100 // messages a second of all other customers
	hotWatched  = 20 * time.Second
)

// Hot measures what one customer who floods a channel costs the others, and how fast the flood itself is worked off.
func (b *Bench) Hot(ctx context.Context) (t *report.Table, err error) {
	t = &report.Table{
		Title:  "One customer floods a channel",
		Header: []string{"messages", "accepted in", "worked off at", "goal", "others/s", "others p50", "others p99", "others max", "goal", "CPU/message", "missing", "memory"},
		Note: fmt.Sprintf("%s messages of one WhatsApp customer, sent over 64 connections as fast as they are accepted, while 2,000 others write at a fixed rate for %s. "+
			"*others* is from the moment a webhook is due until its message is on the event stream; *worked off* is from the first call until the last message of the flood is there.",
			report.Thousands(hotMessages), hotWatched),
	}
	s, w, err := b.fullWatched(ctx, "hot")
	if err != nil {
		return nil, err
	}
	defer b.done(s, &err)
	defer w.stream.Close()
	hot, err := flood(ctx, s, w)
	if err != nil {
		return nil, err
	}
	from, m, began := len(w.acked), measure(s), time.Now()
	s.Profile(b.Profiles, "hot", hotWatched)
	flooded := make(chan error, 1)
	var accepted time.Duration
	go func() {
		r, err := load.Open(ctx, hot.job, 64, hotMessages, time.Second)
		if err == nil && r.Bad() > 0 {
			err = fmt.Errorf("%d calls of the flood were refused", r.Bad())
		}
		accepted = time.Since(began)
		flooded <- err
	}()
	if _, err = load.Open(ctx, w.job, 16, hotOthers, hotWatched); err != nil {
		return t, err
	}
	if err = <-flooded; err != nil {
		return t, err
	}
	worked, err := hot.last(ctx, 2*time.Minute)
	if err != nil {
		return t, err
	}
	if _, err = w.drain(ctx, 30*time.Second); err != nil {
		return t, err
	}
	theirs, _, _ := m.read()
	_, most := s.Memory()
	l, missing := w.latencies(from)
	_, lost := hot.latencies(0)
	rate := hotMessages / worked.Sub(began).Seconds()
	t.Add(hotMessages, accepted, rate, b.goal(rate >= 2000, "≥ 2,000/s"), hotOthers, l.At(.5), l.At(.99), l.At(1),
		b.goal(l.At(1) < time.Second, "max < 1 s"), each(theirs, hotMessages+len(l)), missing+lost, report.Bytes(most))
	b.say("flood of %d: worked off at %.0f/s, others p99 %s, max %s", hotMessages, rate, report.Milliseconds(l.At(.99)), report.Milliseconds(l.At(1)))
	return t, nil
}

// flood aims at the same channel as w, with one customer who is none of w's.
func flood(ctx context.Context, s *stand.Stand, w *watched) (*watched, error) {
	to, err := s.Target(ctx, "whatsapp")
	if err != nil {
		return nil, err
	}
	one := *to
	one.People = 1
	one.Body = strings.ReplaceAll(to.Body, "{{person}}", "4915199999999")
	return listen(s, &one, w.stream)
}

// last waits until every acknowledged message is on the stream, and returns when the last one was.
func (w *watched) last(ctx context.Context, most time.Duration) (at time.Time, err error) {
	until := time.Now().Add(most)
	for _, c := range w.acked {
		for {
			seen, ok := w.stream.When(w.mark(c.k))
			if ok {
				if seen.After(at) {
					at = seen
				}
				break
			}
			if time.Now().After(until) || ctx.Err() != nil {
				return at, fmt.Errorf("a message did not appear on the stream in %s", most)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return at, nil
}
