package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// world is a log, a store, a provider and the topic of receipts: all that outlives a process.
type world struct {
	t        testing.TB
	db       store.DB
	provider *gatewaytest.Provider
	receipts *storetest.Publisher
	channels *gatewaytest.Channels
	edit     func(*channel.Info)
	timing   dispatch.Timing
	egress   *egress.Client
	blobs    *blob.Store
	log      []bus.Message
	away     atomic.Bool  // Kafka takes nothing
	ahead    atomic.Int64 // ns that the processes' clocks are ahead of this machine's
	slips    atomic.Int64 // ns that they are set by each time they are read

	mu        sync.Mutex
	committed int64
	done      map[int64]bool
	calls     calls

	budget time.Duration // of a call, where a test is impatient
}

func newWorld(t testing.TB, script func(gatewaytest.Sending, int) gatewaytest.Answer, edit ...func(*channel.Info)) *world {
	w := &world{
		t: t, db: storetest.New(t, Spec(event.Telegram)), provider: gatewaytest.NewProvider(t, script), receipts: &storetest.Publisher{},
		egress: gatewaytest.Egress(t), blobs: gatewaytest.Blobs(t),
		done: map[int64]bool{}, timing: dispatch.Timing{
			Backoff: 2 * time.Millisecond, MaxBackoff: 10 * time.Millisecond, Margin: 30 * time.Millisecond, Publish: time.Second,
			Breaker: 20 * time.Millisecond, Pause: 2 * time.Millisecond, Retire: forever,
		},
	}
	w.channels = gatewaytest.NewChannels(w.channel("ch_a"), w.channel("ch_b"))
	w.edit = func(i *channel.Info) {
		i.Send.Timeout = channel.Duration(time.Hour) // nothing here depends on how long a write or a call takes
		for _, e := range edit {
			e(i)
		}
	}
	return w
}

// impatient lets calls of the dead be given up as soon as this store allows: a living process's write and call fit in easily. It
// is measured, as stores and machines differ, and bounded, as a test must end; where it is too short all the same, calls become unknown,
// and nothing else.
func (w *world) impatient() {
	rows := store.NewCollection[Row](w.db, Spec(event.Telegram))
	for n := range 5 {
		r := &Row{}
		r.ID, r.ExpiresAt = fmt.Sprint("measure", n), event.At(time.Now().Add(time.Hour))
		start := time.Now()
		if err := rows.Insert(context.Background(), r); err != nil {
			w.t.Fatal(err)
		}
		w.budget = min(max(w.budget, 150*time.Millisecond, 20*time.Since(start)), forever/10)
	}
	edit := w.edit
	w.edit = func(i *channel.Info) { edit(i); i.Send.Timeout = channel.Duration(w.budget) }
}

// now is the processes' clock. Timers that run already do not hear of a pass.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Add(w.slips.Load()))) }

// pass lets time pass for processes to come, without anybody waiting for it.
func (w *world) pass(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) channel(id string) channel.Keyed {
	return gatewaytest.Channel(event.Telegram, id, "acme", w.provider.URL)
}

// text is a message; its parts are separated by a line of "--".
func text(ch, peer, id, text string) event.Outbound {
	return event.Outbound{
		MessageID: "msg_" + id, AttemptID: id, Attempt: 1, ConversationID: "cnv_1", ThreadID: "thr_1", ChannelID: ch, ChannelType: event.Telegram, Peer: peer,
		Content: event.Content{Type: event.Text, Text: text}, CreatedAt: event.At(time.Now()),
	}
}

// post appends a message to the log.
func (w *world) post(msgs ...event.Outbound) {
	for _, m := range msgs {
		kind := event.MessageSend
		if m.Signal != "" {
			kind = event.SignalSend
		}
		if m.Action != nil {
			kind = event.ActionSend
		}
		w.mu.Lock()
		w.log = append(w.log, bus.Message{Topic: event.TopicOutbound(event.Telegram), Offset: int64(len(w.log)), Key: event.Key(m.ChannelID, m.Peer), Lane: event.Key(m.ChannelID, m.Peer),
			Event: event.New("evt_"+m.AttemptID, kind, "inbox", "acme", m.MessageID, event.At(time.Now()), m)})
		w.mu.Unlock()
	}
}

// records is the log as it is now; a process reads it while a test may still post.
func (w *world) records() []bus.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

// process is one life of the service.
type process struct {
	*world
	worker *Worker
	life   *storetest.Life
	stop   context.CancelFunc
	over   chan struct{}
	handle chan bus.Handler // the handler of the generation
}

// handler waits for the partition to be taken over.
func (p *process) handler() bus.Handler {
	h := <-p.handle
	p.handle <- h
	return h
}

// start begins a process and gives it the partition. It dies at the given point of its life; 0: it does not.
func (w *world) start(dieAt int64, change ...func(*Deps)) *process {
	ctx, stop := context.WithCancel(context.Background())
	p := &process{world: w, life: storetest.NewLife(dieAt, dispatch.ErrStopped), stop: stop, over: make(chan struct{}), handle: make(chan bus.Handler, 1)}
	db, kafka := p.life.DB(w.db), p.life.Publisher(w.publisher())
	facts := store.NewApplier(db, kafka, nil)
	toy := gatewaytest.Toy{Kind: event.Telegram, Edit: w.edit}
	d := Deps{
		Adapter: channel.Guard(toy), Source: "telegram", Channels: w.channels, Bus: kafka, DB: db, Facts: facts, Now: w.now, Log: slog.New(slog.DiscardHandler), Timing: w.timing, Upload: 50 * time.Millisecond,
		Sender: mortalSender{&provider.Caller{Adapter: channel.Guard(toy), Transports: map[string]provider.Transport{"http": &provider.HTTP{Client: w.egress, Blobs: w.blobs}}, Now: time.Now}, p.life, w},
	}
	for _, c := range change {
		c(&d)
	}
	p.worker = New(d)
	go func() {
		select {
		case <-p.life.Dead():
			stop()
		case <-ctx.Done():
		}
	}()
	go func() {
		defer close(p.over)
		var applying sync.WaitGroup
		applying.Go(func() { _ = facts.Run(ctx) })
		p.generation(ctx)
		applying.Wait()
	}()
	return p
}

// dieAt lets a process die at the given point of its life, or end if it was done before, and then others finish what is left.
func (w *world) dieAt(point int64) {
	p := w.start(point)
	select {
	case <-p.over:
	case <-time.After(time.Second):
		p.end()
	}
	w.finish()
}

func (w *world) publisher() bus.Producer { return kafka{w} }

type kafka struct{ *world }

func (k kafka) Publish(ctx context.Context, recs ...event.Record) error {
	if k.away.Load() {
		return errors.New("kafka is away")
	}
	return k.receipts.Publish(ctx, recs...)
}

// generation hands out the log from the committed offset on, a goroutine per lane, as package bus does.
func (p *process) generation(ctx context.Context) {
	p.mu.Lock()
	from := p.committed
	p.mu.Unlock()
	var handle bus.Handler
	var release func()
	for {
		var err error
		handle, release, err = p.worker.assign(ctx, bus.Assignment{Topic: event.TopicOutbound(event.Telegram), Offset: from, Generation: 1})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
	}
	p.handle <- handle
	lanes := map[string][]bus.Message{}
	for _, m := range p.records() {
		if m.Offset >= from {
			lanes[m.Lane] = append(lanes[m.Lane], m)
		}
	}
	var busy sync.WaitGroup
	for _, l := range lanes {
		busy.Go(func() { p.lane(ctx, handle, l) })
	}
	busy.Wait()
	<-ctx.Done()
	release()
}

func (p *process) lane(ctx context.Context, handle bus.Handler, ms []bus.Message) {
	for _, m := range ms {
		for {
			hctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			err := handle(hctx, m)
			cancel()
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
		if p.life.Gone() {
			return // a dead process commits nothing
		}
		p.mu.Lock()
		p.done[m.Offset] = true
		for p.done[p.committed] {
			p.committed++
		}
		p.mu.Unlock()
	}
}

// end stops the process in order and waits for it. If the test has failed, nobody may be left to let a call go on.
func (p *process) end() {
	if p.t.Failed() {
		p.provider.Close()
	}
	p.stop()
	<-p.over
}

// finish runs one more process until every part of every message has a result, and the log is done.
func (w *world) finish() {
	w.t.Helper()
	p := w.start(0)
	defer p.end()
	for end := time.Now().Add(forever); ; time.Sleep(2 * time.Millisecond) {
		missing := w.missing()
		w.mu.Lock()
		done := w.committed == int64(len(w.log))
		w.mu.Unlock()
		if len(missing) == 0 && done {
			return
		}
		if time.Now().After(end) || w.t.Failed() {
			w.t.Fatalf("without a result: %v; committed %d of %d; a call may take %s", missing, w.committed, len(w.log), w.budget)
		}
	}
}

// results are the results that were said about each part.
func (w *world) results() map[string][]event.SendResult {
	out := map[string][]event.SendResult{}
	for _, e := range w.receipts.Topic(event.TopicReceipts) {
		r, err := event.Decode[event.SendResult](e)
		if err != nil {
			w.t.Fatal(err)
		}
		id := fmt.Sprintf("%s/%d", r.AttemptID, r.Part)
		out[id] = append(out[id], r)
	}
	return out
}

// statuses are the words said about a part.
func (w *world) statuses(id string) (out []event.DeliveryStatus) {
	for _, r := range w.results()[id] {
		out = append(out, r.Status)
	}
	return out
}

func (w *world) missing() (out []string) {
	said := w.results()
	for _, m := range w.records() {
		msg, _ := event.Decode[event.Outbound](m.Event)
		for n := range strings.Split(msg.Content.Text, "\n--\n") {
			if id := fmt.Sprintf("%s/%d", msg.AttemptID, n); msg.Signal == "" && !msg.Skips(n) && said[id] == nil {
				out = append(out, id)
			}
		}
	}
	return out
}

// row reads a part's row.
func (w *world) row(id string, part int) *Row {
	w.t.Helper()
	r, err := store.NewCollection[Row](w.db, Spec(event.Telegram)).Get(context.Background(), RowID("acme", id, part))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	return r
}

type mortalSender struct {
	Sender
	life  *storetest.Life
	world *world
}

func (s mortalSender) Send(ctx context.Context, ch channel.Keyed, msg event.Outbound, req channel.Request, a provider.About) provider.Verdict {
	if !s.life.Point() {
		return provider.Verdict{Finding: dispatch.Unsure, Err: fault.Of(s.life.Err())}
	}
	s.world.begins(ctx, a)
	v := s.Sender.Send(ctx, ch, msg, req, a)
	if !s.life.Point() {
		return provider.Verdict{Finding: dispatch.Unsure, Err: fault.Of(s.life.Err())}
	}
	return v
}
