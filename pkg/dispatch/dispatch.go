// Package dispatch makes calls to others that must not be made twice, in the order of a key, whoever dies meanwhile. The messages of a
// channel are sent by it; a bot's turns are called by it. What is called, and what its outcome means, is said by a [Kind].
//
// The protocol is docs/models/outbound.pml, where it is checked; the names of its rules stand in the comments (rule BUSY …). In short:
// a record of a topic is a task of one or more parts, and every part has a row in the store, inserted as calling before the first byte
// leaves. A lane (one key of one partition) calls at once if nothing of its key is open and the scope has room; otherwise the row waits
// and the lane goes on. Drainers take waiting rows, in order within the key, scope by scope. Whoever finds a row in the hands of another
// waits for its deadline and then makes it unknown by compare-and-set: nothing is called twice (promise P7).
//
// [Scopes] alone, without rows, bound the calls of those who need no more.
package dispatch

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	mrand "math/rand/v2"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Finding says what is known after a call.
type Finding uint8

// The findings.
const (
	Taken    Finding = iota + 1 // the other side has it
	Deferred                    // it surely did not arrive or was refused for now: it may be called again
	Rejected                    // refused for good
	Unsure                      // it may have arrived
)

// Verdict is what became of a call.
type Verdict struct {
	Finding Finding
	Err     *fault.Error // all but Taken: why
	Answer  any          // Taken: what the kind makes of it, for its own Calls.Done and Calls.Records
}

// Doc is a row of a kind: it embeds [Row].
type Doc interface {
	Core() *Row
	Scope() string // whose places, limits and breaker its call needs
	Bulk() bool    // others of its scope go first
}

// Rows keeps the documents of a kind; a [store.Collection] whose spec is made by [Spec] is one. It has the facts of an applier that runs.
type Rows[R Doc] interface {
	Insert(ctx context.Context, doc R) error
	Get(ctx context.Context, id string) (R, error)
	Update(ctx context.Context, id string, change func(R) error) (R, error)
	Apply(ctx context.Context, id string) error
	All(ctx context.Context, q store.Query) iter.Seq2[R, error]
}

// Task is what a record asks to be called, or a row that has waited.
type Task[R Doc] struct {
	Tenant string
	Scope  string
	Parts  []Part        // what is called, one after the other; at least one, also if it is refused
	Skip   []int         // parts that are left out
	Refuse *fault.Error  // why it must not be called; nil if it may
	SendBy event.Time    // a part that still waits then expires
	Budget time.Duration // of a call
	Calls  Calls[R]
}

// Part says what may be done with one part of a task.
type Part struct {
	Repeatable bool // a call of unknown outcome can be made again
	Keyless    bool // and the other side does not know the repetition by a key: its effect is that of the first call, whenever it arrives
}

// Calls are the calls of a task, and what is kept and said of them.
type Calls[R Doc] interface {
	// ID returns the id of the row of a part.
	ID(part int) string
	// New returns a row with what the kind keeps in it from the beginning to the end.
	New() R
	// Keep puts into a row that begins to wait what [Kind.Task] makes the task of again.
	Keep(row R)
	// Done takes that out, and puts the outcome in.
	Done(row R, o Outcome)
	// Call calls a part. No byte of it leaves after the deadline of ctx.
	Call(ctx context.Context, part int) Verdict
	// Records say what became of a part of so many.
	Records(part, of int, o Outcome) []event.Record
}

// Kind is what is dispatched.
type Kind[R Doc] interface {
	// Task makes the task of a row that waits. The error is our own trouble: it is asked again.
	Task(ctx context.Context, row R) (*Task[R], error)
}

// Homes says from where the calls of a scope can be made, for kinds whose scopes have connections.
type Homes[R Doc] interface {
	// Own says that a partition is ours until release is called.
	Own(partition int) (release func())
	// Elsewhere reports whether the scope's calls can only be made by the owner of another partition. While that cannot be found out,
	// they wait where they are.
	Elsewhere(ctx context.Context, scope string, partition int) bool
	// HandOn is the record that brings a waiting row's task to the owner who can call it.
	HandOn(row R, t *Task[R]) event.Record
}

// Deps is what an Engine works with.
type Deps[R Doc] struct {
	Kind    Kind[R]
	Rows    Rows[R]
	Homes   Homes[R] // nil: every owner can make every call
	Bus     bus.Producer
	Scopes  *Scopes
	Longest time.Duration // of a call's budget
}

// Engine makes the calls of one kind. It hands a partition to [Engine.Assign]'s owner.
type Engine[R Doc] struct {
	Deps[R]
	Env
}

// Env is what the engine and its scopes share.
type Env struct {
	Timing  Timing
	Metrics Metrics
	Now     func() time.Time
	Log     *slog.Logger
}

// Metrics counts. Labels are the implementation's.
type Metrics interface {
	Settled(ctx context.Context, s State, code string)
	Waited(ctx context.Context)
	Throttled(ctx context.Context)
	Breaker(from, to string) // its states by the names of gobreaker
}

// New returns an engine of the environment that its scopes have.
func New[R Doc](d Deps[R]) *Engine[R] { return &Engine[R]{Deps: d, Env: d.Scopes.Env} }

// Timing bounds waits. Zero values mean the defaults.
type Timing struct {
	Backoff    time.Duration // after the first refusal; doubles; default 1 s
	MaxBackoff time.Duration // default 5 min
	Margin     time.Duration // how far clocks of replicas may differ: another's call is given up so long after its deadline; default 5 s
	Publish    time.Duration // for Kafka to acknowledge a result, before it is written into the row instead; default 5 s
	Breaker    time.Duration // how long a scope's breaker stays open; default 10 s
	Pause      time.Duration // between tries while our own store or broker is away; default 200 ms
	Retire     time.Duration // how long an owner waits for the drainer's calls when it loses its partition; default 5 s
}

func (t *Timing) fill() {
	for _, f := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&t.Backoff, time.Second}, {&t.MaxBackoff, 5 * time.Minute}, {&t.Margin, 5 * time.Second}, {&t.Publish, 5 * time.Second},
		{&t.Breaker, 10 * time.Second}, {&t.Pause, 200 * time.Millisecond}, {&t.Retire, 5 * time.Second},
	} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
}

// pause is how long a row waits after its nth refusal, with jitter: at most due.Longest, whatever the other side says.
func (e Env) pause(why *fault.Error, n int) time.Duration {
	d := min(e.Timing.Backoff<<min(max(n-1, 0), 20), e.Timing.MaxBackoff)
	return min(max(why.After, d*3/4+mrand.N(d/2+1)), due.Longest)
}

// Away says that our own store or directory is not there.
func Away(err error) error {
	return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
}

// ErrStopped ends a handler whose partition is lost; its record will come again, to the next owner.
var ErrStopped = errors.New("dispatch: the partition is lost")

// errMoved says that a row is not any more what it was.
var errMoved = errors.New("dispatch: the row has changed")
