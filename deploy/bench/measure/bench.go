// Package measure is the measurements. Each starts what it needs on fresh data, measures, and returns its table.
package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/target"
)

// Bench is how to measure.
type Bench struct {
	Bin      string         // folder of the binaries
	Dir      string         // where data goes; emptied as it goes along
	Profiles string         // where CPU profiles go; "": none are taken
	Outside  bool           // separate processes on the servers that the environment names
	Cluster  *stand.Cluster // the chart there; nil: no cluster
	Modes    []string       // of the chart
	Log      io.Writer

	Channels []string      // what webhooks are sent to
	Conns    []int         // over how many connections at once
	Warm     time.Duration // before each figure
	For      time.Duration // each figure
	Confirm  time.Duration // the last run of the pipeline
	Rates    []int         // end to end, messages a second
	Records  int           // sends
	Grown    int           // conversations at the end of growth

	runs     int
	mode     string         // of the chart, that is measured
	released *stand.Release // that is there
}

// Measurement is one of the measurements, by name.
type Measurement struct {
	Name, Help string
	Run        func(context.Context) (*report.Table, error)
}

func (b *Bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.Log, format+"\n", args...) }

// fresh is a new empty folder.
func (b *Bench) fresh(name string) (string, error) {
	b.runs++
	dir := filepath.Join(b.Dir, fmt.Sprintf("%02d-%s", b.runs, name))
	return dir, os.MkdirAll(dir, 0o700)
}

// full starts everything that a deployment has, on fresh data.
func (b *Bench) full(ctx context.Context, name string) (*stand.Stand, error) {
	if b.Cluster != nil {
		r, err := b.release(ctx)
		if err != nil {
			return nil, err
		}
		return r.Stand, nil
	}
	dir, err := b.fresh(name)
	if err != nil {
		return nil, err
	}
	if !b.Outside {
		return stand.One(ctx, b.Bin, dir)
	}
	return b.parts(ctx, dir, stand.Services...)
}

// part starts some services as separate processes on fresh data.
func (b *Bench) part(ctx context.Context, name string, services ...string) (*stand.Stand, error) {
	dir, err := b.fresh(name)
	if err != nil {
		return nil, err
	}
	return b.parts(ctx, dir, services...)
}

func (b *Bench) parts(ctx context.Context, dir string, services ...string) (*stand.Stand, error) {
	s, err := stand.Separate(ctx, b.Bin, dir, b.Outside)
	if err != nil {
		return nil, err
	}
	if err := s.Start(ctx, services...); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// done stops a stand and throws its data away. On servers outside the topics are those of the next stand too: it finds nothing
// in them that is left to be done.
func (b *Bench) done(s *stand.Stand, err *error) {
	if b.Outside && *err == nil {
		s.Settle(context.Background(), 5*time.Minute)
	}
	if b.Cluster != nil { // the release is there for the next measurement
		return
	}
	*err = errors.Join(*err, s.Stop())
	if *err == nil {
		_ = os.RemoveAll(s.Dir) // what is left is in the way of nobody
	}
}

// aim makes a target ready and returns what to call.
func aim(t *target.Target) (*target.Plan, load.Job, error) {
	now := time.Now().UnixNano()
	p, err := t.Plan(strconv.FormatInt(now/1e3, 36), now/1e6%1e9)
	if err != nil {
		return nil, load.Job{}, err
	}
	return p, load.Job{Base: p.Base(), Caller: func() load.Caller { return p.Builder() }, Next: new(atomic.Int64)}, nil
}

// meter is the processor time of a stand and of this program since it was made.
type meter struct {
	s            *stand.Stand
	theirs, mine time.Duration
	at           time.Time
}

func measure(s *stand.Stand) *meter { return &meter{s, s.CPU(), stand.Own(), time.Now()} }

// per is the processor time per unit of work.
func (m *meter) read() (theirs, mine, took time.Duration) {
	return m.s.CPU() - m.theirs, stand.Own() - m.mine, time.Since(m.at)
}

func each(d time.Duration, n int) time.Duration {
	if n == 0 {
		return 0
	}
	return d / time.Duration(n)
}

// goal says whether a figure is what was aimed at. Servers that share the machine with everything else have no goals.
func (b *Bench) goal(met bool, text string) string {
	if b.Outside {
		return ""
	}
	if met {
		return text + " ✓"
	}
	return text + " ✗"
}

// counter counts calls that were answered 2xx, those of the warm-up too.
type counter struct{ n atomic.Int64 }

func (c *counter) ok(int64, time.Time, []byte) { c.n.Add(1) }
