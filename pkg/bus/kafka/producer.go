package kafka

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
)

// producer writes records with one request at a time per partition, so that they keep their order, and few at a time per broker. What
// comes while they are under way goes in the next one: alone a record waits for nobody, among many each request carries hundreds, of
// all partitions that the broker leads. It takes the place of kafka.Writer, which makes a request for every partition, lets every
// record wait for its batch's time and never joins batches that are late.
type producer struct {
	client   *kafka.Client
	layout   *layout
	compress kafka.Compression
	atOnce   int // requests to a broker
	warn     func(topic string, partition, attempt int, err error)

	mu      sync.Mutex
	lineups map[place]*lineup
	lines   map[int]*line // by broker
	closed  bool
	runs    sync.WaitGroup
}

// requestsAtOnce to a broker keep it busy while one of them waits for its followers.
const requestsAtOnce = 4

// lineup is what waits for one partition.
type lineup struct {
	waiting []piece
	busy    bool // it is in its broker's line, or a request is under way
}

// line is who goes with the next request to a broker.
type line struct {
	places   []place
	requests int // under way
}

// batch is what one request has for one partition.
type batch struct {
	place
	pieces []piece
	bytes  int
	until  time.Time // callers wait so long
}

// piece is records of one call that go together.
type piece struct {
	records []kafka.Message
	bytes   int
	call    *call
}

// call is one Publish; it is done when all its pieces are.
type call struct {
	left atomic.Int32
	once sync.Once
	err  error
	over func()
	done chan struct{}
}

func (c *call) finish(err error) {
	if err != nil {
		c.once.Do(func() { c.err = err })
	}
	if c.left.Add(-1) == 0 {
		c.over()
		close(c.done)
	}
}

var errClosed = errors.New("bus: closed")

// write queues messages and returns when all are acknowledged, or one is not, or ctx ends: then they may still be written. over is
// called once nothing of them is written any more.
func (p *producer) write(ctx context.Context, msgs []kafka.Message, over func()) error {
	by, order, err := p.spread(ctx, msgs)
	if err != nil {
		over()
		return err
	}
	c := &call{done: make(chan struct{}), over: over}
	c.left.Store(1)
	for _, at := range order {
		pieces := split(by[at], c)
		c.left.Add(int32(len(pieces)))
		p.add(at, pieces)
	}
	c.finish(nil)
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spread sorts messages by partition, in their order; order tells which came first.
func (p *producer) spread(ctx context.Context, msgs []kafka.Message) (by map[place][]kafka.Message, order []place, err error) {
	by = make(map[place][]kafka.Message, 2)
	for _, m := range msgs {
		n, err := p.layout.partitions(ctx, m.Topic)
		if err != nil {
			return nil, nil, err
		}
		at := place{m.Topic, balancer.Balance(m, numbers(n)...)}
		if by[at] == nil {
			order = append(order, at)
		}
		by[at] = append(by[at], m)
	}
	return by, order, nil
}

var counted = func() []int {
	all := make([]int, 4096)
	for i := range all {
		all[i] = i
	}
	return all
}()

// numbers are 0 … n-1.
func numbers(n int) []int {
	if n <= len(counted) {
		return counted[:n:n]
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// split cuts records of a call into requests' worth.
func split(records []kafka.Message, c *call) (pieces []piece) {
	from, bytes := 0, 0
	for i, r := range records {
		n := size(r)
		if i > from && (bytes+n > batchBytes || i-from >= batchRecords) {
			pieces, from, bytes = append(pieces, piece{records: records[from:i], bytes: bytes, call: c}), i, 0
		}
		bytes += n
	}
	return append(pieces, piece{records: records[from:], bytes: bytes, call: c})
}

// add queues the pieces of a call for a partition, one behind the other.
func (p *producer) add(at place, pieces []piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		for _, x := range pieces {
			x.call.finish(errClosed)
		}
		return
	}
	l := p.lineups[at]
	if l == nil {
		l = &lineup{}
		p.lineups[at] = l
	}
	l.waiting = append(l.waiting, pieces...)
	if !l.busy {
		l.busy = true
		p.queue(at)
	}
}

// queue puts a partition into its broker's line. The caller holds the lock.
func (p *producer) queue(at place) {
	leader := p.layout.known(at)
	to := p.lines[leader]
	if to == nil {
		to = &line{}
		p.lines[leader] = to
	}
	to.places = append(to.places, at)
	if to.requests < p.atOnce {
		to.requests++
		p.runs.Go(func() { p.run(to) })
	}
}

// run makes one request to a broker after the other, until nobody waits.
func (p *producer) run(to *line) {
	for {
		p.mu.Lock()
		var all []*batch
		for bytes := 0; len(to.places) > 0 && bytes < requestBytes; to.places = to.places[1:] {
			at := to.places[0]
			b := p.lineups[at].take(at)
			all, bytes = append(all, b), bytes+b.bytes
		}
		if len(all) == 0 {
			to.places = nil
			to.requests--
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		p.send(all)
	}
}

// take removes a request's worth from the front.
func (l *lineup) take(at place) *batch {
	b := &batch{place: at, until: time.Now().Add(publishTimeout)}
	n, records := 0, 0
	for _, x := range l.waiting {
		if n > 0 && (records+len(x.records) > batchRecords || b.bytes+x.bytes > batchBytes) {
			break
		}
		n, records, b.bytes = n+1, records+len(x.records), b.bytes+x.bytes
	}
	b.pieces = l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	return b
}

// rest removes the pieces of a call from the front.
func (l *lineup) rest(c *call) []piece {
	n := 0
	for n < len(l.waiting) && l.waiting[n].call == c {
		n++
	}
	rest := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return rest
}

// send makes the request. What fails and may pass is tried again for each partition by itself.
func (p *producer) send(all []*batch) {
	for i, err := range p.produce(context.Background(), all) {
		b := all[i]
		if err == nil || !passes(err) {
			p.finish(b, err)
			continue
		}
		p.layout.forget()
		p.runs.Go(func() { p.finish(b, p.insist(b, err)) })
	}
}

// insist repeats a request that has failed once, as long as a caller may wait for it.
func (p *producer) insist(b *batch, err error) error {
	ctx, cancel := context.WithDeadline(context.Background(), b.until)
	defer cancel()
	for attempt := 1; attempt < maxAttempts && passes(err); attempt++ {
		p.warn(b.topic, b.partition, attempt, err)
		if sleep(ctx, nil, jitter(min(retryMin<<attempt, retryMax))) {
			break
		}
		err = p.produce(ctx, []*batch{b})[0]
	}
	return err
}

// finish tells the callers, and lets what came meanwhile go. What a call still has behind records that failed fails with
// them: if it were written, a reader would skip what is in front of it.
func (p *producer) finish(b *batch, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lineups[b.place]
	done := b.pieces
	if err != nil {
		done = append(done, l.rest(done[len(done)-1].call)...)
	}
	for _, x := range done {
		x.call.finish(err)
	}
	if l.busy = len(l.waiting) > 0; l.busy {
		p.queue(b.place)
	}
}

// produce makes one request and returns an error for each batch.
func (p *producer) produce(ctx context.Context, all []*batch) []error {
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	m, err := p.client.Transport.RoundTrip(ctx, p.client.Addr, p.request(all))
	if err != nil {
		return slices.Repeat([]error{err}, len(all))
	}
	got := map[place]error{}
	if res, ok := m.(*produce.Response); ok {
		for _, t := range res.Topics {
			for _, r := range t.Partitions {
				got[place{t.Topic, int(r.Partition)}] = failure(r.ErrorCode)
			}
		}
	}
	errs := make([]error, len(all))
	for i, b := range all {
		err, ok := got[b.place]
		if !ok {
			err = errUnanswered
		}
		errs[i] = err
	}
	return errs
}

func failure(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.Error(code)
}

// request is read while it is made, so there is one for each attempt.
func (p *producer) request(all []*batch) *produce.Request {
	r := &produce.Request{Acks: int16(kafka.RequireAll), Timeout: int32(produceTimeout.Milliseconds())}
	now := time.Now()
	for topic, batches := range byTopic(all) {
		t := produce.RequestTopic{Topic: topic}
		for _, b := range batches {
			var records []kafka.Record
			for _, x := range b.pieces {
				for _, m := range x.records {
					records = append(records, kafka.Record{Key: kafka.NewBytes(m.Key), Value: kafka.NewBytes(m.Value), Headers: m.Headers, Time: now})
				}
			}
			t.Partitions = append(t.Partitions, produce.RequestPartition{Partition: int32(b.partition), RecordSet: protocol.RecordSet{
				Attributes: protocol.Attributes(p.compress), Records: kafka.NewRecordReader(records...),
			}})
		}
		r.Topics = append(r.Topics, t)
	}
	return r
}

// passes reports whether the same request may succeed a little later: the broker says so, the connection broke, or a partition's
// leader was not where it was thought to be.
func passes(err error) bool {
	if _, misled := errors.AsType[*produce.Error](err); misled {
		return true
	}
	if temporary, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err); ok && temporary.Temporary() {
		return true
	}
	for _, e := range []error{io.ErrUnexpectedEOF, io.EOF, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// close refuses what comes from now on and waits for what is queued.
func (p *producer) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.runs.Wait()
}
