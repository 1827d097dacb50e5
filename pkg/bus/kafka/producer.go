package kafka

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
)

// producer writes records with one request at a time per partition, so that they keep their order. What comes while a request is
// under way, and shortly after, makes up the next one: alone a record waits for nobody, among many each request carries hundreds.
// It takes the place of kafka.Writer, which lets every record wait for its batch's time and never joins batches that are late.
type producer struct {
	client   *kafka.Client
	compress kafka.Compression
	linger   time.Duration
	warn     func(topic string, partition, attempt int, err error)

	mu     sync.Mutex
	lines  map[place]*lineup
	counts map[string]count // partitions of topics
	open   int              // calls that are not done
	closed bool
	runs   sync.WaitGroup
}

// few calls at a time gain nothing by going together, so they do not wait for each other.
const few = 4

type place struct {
	topic     string
	partition int
}

type count struct {
	n  int
	at time.Time
}

// lineup is what waits for one partition.
type lineup struct {
	waiting []piece
	busy    bool
	last    time.Time // the last request began then
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
	p.enter(1)
	c := &call{done: make(chan struct{}), over: func() { p.enter(-1); over() }}
	c.left.Store(1)
	for _, at := range order {
		for _, x := range split(by[at]) {
			c.left.Add(1)
			x.call = c
			p.add(at, x)
		}
	}
	c.finish(nil)
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *producer) enter(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open += n
}

// spread sorts messages by partition, in their order; order tells which came first.
func (p *producer) spread(ctx context.Context, msgs []kafka.Message) (by map[place][]kafka.Message, order []place, err error) {
	by = make(map[place][]kafka.Message, 2)
	for _, m := range msgs {
		n, err := p.partitions(ctx, m.Topic)
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

// countFor is how long the number of a topic's partitions is believed: it is fixed for life, but a topic may be made anew.
const countFor = time.Minute

func (p *producer) partitions(ctx context.Context, topic string) (int, error) {
	p.mu.Lock()
	c, ok := p.counts[topic]
	p.mu.Unlock()
	if ok && time.Since(c.at) < countFor {
		return c.n, nil
	}
	n, err := partitionsOf(ctx, p.client, topic)
	if err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[topic] = count{n, time.Now()}
	return n, nil
}

// split cuts records into requests' worth.
func split(records []kafka.Message) (parts []piece) {
	from, bytes := 0, 0
	for i, r := range records {
		n := size(r)
		if i > from && (bytes+n > batchBytes || i-from >= batchRecords) {
			parts, from, bytes = append(parts, piece{records: records[from:i], bytes: bytes}), i, 0
		}
		bytes += n
	}
	return append(parts, piece{records: records[from:], bytes: bytes})
}

func (p *producer) add(at place, x piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		x.call.finish(errClosed)
		return
	}
	l := p.lines[at]
	if l == nil {
		l = &lineup{}
		p.lines[at] = l
	}
	l.waiting = append(l.waiting, x)
	if !l.busy {
		l.busy = true
		p.runs.Go(func() { p.run(at, l) })
	}
}

// run sends until nothing waits.
func (p *producer) run(at place, l *lineup) {
	for {
		p.mu.Lock()
		if len(l.waiting) == 0 {
			l.busy = false
			p.mu.Unlock()
			return
		}
		var pause time.Duration
		if p.open > few {
			pause = time.Until(l.last.Add(p.linger))
		}
		p.mu.Unlock()
		if pause > 0 {
			time.Sleep(pause)
		}
		p.mu.Lock()
		batch := l.take()
		l.last = time.Now()
		p.mu.Unlock()
		err := p.send(at, batch)
		for _, x := range batch {
			x.call.finish(err)
		}
	}
}

// take removes a request's worth from the front.
func (l *lineup) take() []piece {
	n, records, bytes := 0, 0, 0
	for _, x := range l.waiting {
		records, bytes = records+len(x.records), bytes+x.bytes
		if n > 0 && (records > batchRecords || bytes > batchBytes) {
			break
		}
		n++
	}
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	return batch
}

// send makes the request, again after an error that may pass, as long as a caller may wait for it.
func (p *producer) send(at place, batch []piece) error {
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	var err error
	for attempt := 1; ; attempt++ {
		if err = p.produce(ctx, at, batch); err == nil || attempt == maxAttempts || !passes(err) {
			return err
		}
		p.warn(at.topic, at.partition, attempt, err)
		if sleep(ctx, nil, jitter(min(retryMin<<attempt, retryMax))) {
			return err
		}
	}
}

func (p *producer) produce(ctx context.Context, at place, batch []piece) error {
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	var records []kafka.Record // read by the request, so made for each
	now := time.Now()
	for _, x := range batch {
		for _, m := range x.records {
			records = append(records, kafka.Record{Key: kafka.NewBytes(m.Key), Value: kafka.NewBytes(m.Value), Headers: m.Headers, Time: now})
		}
	}
	res, err := p.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: at.topic, Partition: at.partition, RequiredAcks: kafka.RequireAll, Compression: p.compress, Records: kafka.NewRecordReader(records...),
	})
	if err != nil {
		return err
	}
	return res.Error
}

// passes reports whether the same request may succeed a little later: the broker says so, or the connection broke.
func passes(err error) bool {
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
