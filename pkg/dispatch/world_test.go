package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// turn is a row of the kind that these tests dispatch: the turns of bots, in the order of each conversation.
type turn struct {
	Row
	Bot   string  `json:"bot"`
	Words *string `json:"words,omitempty"` // while it waits; a part a word
	Heard string  `json:"heard,omitempty"` // what the bot answered
}

func (t *turn) Scope() string { return t.Bot }
func (t *turn) Bulk() bool    { return false }

// record is one turn in the log.
type record struct{ conversation, id, words string }

// bots is the world of these tests: a log, a store, and the bots, who answer as the script says.
type bots struct {
	t       *testing.T
	db      store.DB
	results *storetest.Publisher
	script  func(ctx context.Context, part string, call int) Verdict
	log     []record

	mu    sync.Mutex
	calls []string // parts, in their order
}

func newBots(t *testing.T, script func(ctx context.Context, part string, call int) Verdict) *bots {
	if script == nil {
		script = func(context.Context, string, int) Verdict { return taken }
	}
	return &bots{t: t, db: storetest.New(t, Spec("turns")), results: &storetest.Publisher{}, script: script}
}

// process is a life: an engine, its rows, its facts.
type process struct {
	*bots
	*Engine[*turn]
	rows  *store.Collection[turn]
	facts *store.Applier
}

func (b *bots) process(db store.DB, kafka bus.Producer, now func() time.Time) *process {
	p := &process{bots: b, facts: store.NewApplier(db, kafka, nil)}
	p.rows = store.NewCollection[turn](db, Spec("turns"), store.Facts(p.facts))
	e := env(Timing{Backoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond, Margin: time.Millisecond, Pause: time.Millisecond, Breaker: 5 * time.Millisecond})
	e.Now = now
	p.Engine = New(Deps[*turn]{Kind: p, Rows: p.rows, Bus: kafka, Scopes: NewScopes(ScopesDeps{Env: e}), Longest: time.Minute})
	return p
}

// alive is a process whose life does not end.
func (b *bots) alive() *process { return b.process(b.db, b.results, time.Now) }

// Task implements Kind.
func (p *process) Task(_ context.Context, row *turn) (*Task[*turn], error) {
	return p.task(row.ID[:strings.Index(row.ID, "/")], row.Bot, *row.Words), nil
}

func (p *process) task(id, bot, words string) *Task[*turn] {
	return &Task[*turn]{
		Tenant: "acme", Scope: bot, Parts: make([]Part, len(strings.Fields(words))), SendBy: event.At(time.Now().Add(time.Hour)),
		Budget: time.Minute, Calls: calling{p.bots, id, bot, words},
	}
}

// plant stores the row of the first part of a turn, as edit makes it; it waits.
func (b *bots) plant(offset int64, edit func(*turn)) *turn {
	b.t.Helper()
	r, p := b.log[offset], b.alive()
	c := p.task(r.id, "echo", r.words).Calls
	row := c.New()
	row.ID, row.Tenant, row.Parts, row.Key, row.Offset, row.SendBy = c.ID(0), "acme", 1, r.conversation, offset, event.At(time.Now().Add(time.Hour))
	row.wait(nil, 0, time.Now())
	c.Keep(row)
	edit(row)
	if err := p.rows.Insert(b.t.Context(), row); err != nil {
		b.t.Fatal(err)
	}
	return row
}

// calling implements Calls for a turn.
type calling struct {
	*bots
	id, bot, words string
}

func (c calling) ID(part int) string { return fmt.Sprintf("%s/%d", c.id, part) }
func (c calling) New() *turn         { return &turn{Bot: c.bot} }
func (c calling) Keep(t *turn)       { t.Words = &c.words }

func (c calling) Done(t *turn, o Outcome) {
	t.Words = nil
	t.Heard, _ = o.Answer.(string)
}

func (c calling) Call(ctx context.Context, part int) Verdict {
	id := c.ID(part)
	c.mu.Lock()
	c.bots.calls = append(c.bots.calls, id)
	n := len(slices.DeleteFunc(slices.Clone(c.bots.calls), func(s string) bool { return s != id }))
	c.mu.Unlock()
	v := c.script(ctx, id, n)
	if v.Finding == Taken {
		v.Answer = "heard " + strings.Fields(c.words)[part]
	}
	return v
}

func (c calling) Records(part, of int, o Outcome) []event.Record {
	answer, _ := o.Answer.(string)
	id := event.DeriveID("evt", c.ID(part), string(o.State), o.Code())
	return []event.Record{{Topic: event.TopicReceipts, Key: c.id, Event: event.New(id, event.SendSettled, "bots", "acme", c.id, event.At(time.Now()), event.SendResult{
		AttemptID: c.id, Part: part, Parts: of, Status: event.DeliveryStatus(o.State), ExternalIDs: []string{answer}, Error: o.Err,
	})}}
}

// called are the calls so far.
func (b *bots) called() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// said is what was said of every part, in its order, without repetitions.
func (b *bots) said() map[string][]string {
	out := map[string][]string{}
	for _, e := range b.results.Topic(event.TopicReceipts) {
		r, err := event.Decode[event.SendResult](e)
		if err != nil {
			b.t.Fatal(err)
		}
		id, word := fmt.Sprintf("%s/%d", r.AttemptID, r.Part), string(r.Status)
		if !slices.Contains(out[id], word) {
			out[id] = append(out[id], word)
		}
	}
	return out
}

// forever is longer than anything takes on any machine: what has not happened by then never will.
const forever = time.Minute

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(forever); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}
