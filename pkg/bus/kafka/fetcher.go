package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// fetcher reads many partitions with few requests: those that wait for the same broker go together. kafka-go's own Fetch takes a
// request, and a connection as long as it waits, for every single partition, so that hundreds of idle ones keep everybody busy.
type fetcher struct {
	client *kafka.Client
	layout *layout
	linger time.Duration // partitions that want more wait so long for others

	mu    sync.Mutex
	lines map[int][]*ask // by broker: who goes with its next request, which is coming if there is anybody
}

// fetchTogether is how many partitions go in one request: their answers must stay below the brokers' fetch.max.bytes of 55 MB,
// because a broker leaves out what is beyond it.
const fetchTogether = 128

// ask is a partition's wish for the records from an offset on.
type ask struct {
	place
	offset int64
	soon   bool // waits for nobody
	apart  bool // always goes by itself: other records of its partition may be asked for at the same time
	alone  bool // goes by itself this time. Only the first partition of a request gets a batch that is larger than fetchBytes.

	ctx    context.Context // of who wants to know
	answer chan answer
}

// answer has records, or none although there are some; or an error.
type answer struct {
	records kafka.RecordReader
	end     int64 // the first offset behind the newest record
	err     error
}

// fetch waits until the partition has records behind the offset, or ctx ends.
func (f *fetcher) fetch(ctx context.Context, a ask) (kafka.RecordReader, int64, error) {
	a.ctx, a.answer = ctx, make(chan answer, 1)
	f.add(&a)
	select {
	case got := <-a.answer:
		return got.records, got.end, got.err
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}

func (f *fetcher) add(asks ...*ask) {
	for _, a := range asks {
		leader, waits := f.layout.leader(a.ctx, a.place), f.linger > 0 && !a.soon && !a.alone && !a.apart
		f.mu.Lock()
		first := len(f.lines[leader]) == 0
		f.lines[leader] = append(f.lines[leader], a)
		f.mu.Unlock()
		switch {
		case !waits:
			go f.flush(leader)
		case first:
			time.AfterFunc(f.linger, func() { f.flush(leader) })
		}
	}
}

// flush asks a broker for everything that waits.
func (f *fetcher) flush(leader int) {
	f.mu.Lock()
	asks := f.lines[leader]
	delete(f.lines, leader)
	f.mu.Unlock()
	var together []*ask
	for _, a := range asks {
		switch {
		case a.ctx.Err() != nil: // nobody wants to know any more
		case a.alone || a.apart:
			go f.request(a)
		default:
			together = append(together, a)
		}
	}
	for some := range slices.Chunk(together, fetchTogether) {
		go f.request(some...)
	}
}

// request answers asks. Those of partitions that have nothing new are asked again, with whoever waits by then.
func (f *fetcher) request(asks ...*ask) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(asks[0].ctx), fetchWait+requestTimeout)
	defer cancel()
	got, throttled, err := f.exchange(ctx, asks)
	if _, misled := errors.AsType[*fetch.Error](err); misled && len(asks) > 1 { // a leader has moved: each finds its own way
		f.layout.forget()
		for _, a := range asks {
			a.alone = true
		}
		f.add(asks...)
		return
	}
	var again []*ask
	for _, a := range asks {
		p := got[a.place]
		switch {
		case err != nil:
			a.answer <- answer{err: err}
		case p == nil:
			a.answer <- answer{err: errUnanswered}
		case p.ErrorCode != 0:
			f.layout.forget()
			a.answer <- answer{err: kafka.Error(p.ErrorCode)}
		case p.RecordSet.Records != nil:
			a.answer <- answer{records: p.RecordSet.Records, end: p.HighWatermark}
		case p.HighWatermark > a.offset && !throttled: // who is throttled gets nothing although there is something
			a.answer <- answer{records: kafka.NewRecordReader(), end: p.HighWatermark}
		case a.ctx.Err() == nil:
			a.soon, a.alone = false, false
			again = append(again, a)
		}
	}
	f.add(again...)
}

func (f *fetcher) exchange(ctx context.Context, asks []*ask) (got map[place]*fetch.ResponsePartition, throttled bool, err error) {
	m, err := f.client.Transport.RoundTrip(ctx, f.client.Addr, fetchRequest(asks))
	if err != nil {
		return nil, false, err
	}
	res, ok := m.(*fetch.Response)
	if !ok {
		return nil, false, fmt.Errorf("fetch: answered with a %T", m)
	}
	if res.ErrorCode != 0 {
		return nil, false, kafka.Error(res.ErrorCode)
	}
	got = make(map[place]*fetch.ResponsePartition, len(asks))
	for i := range res.Topics {
		t := &res.Topics[i]
		for j := range t.Partitions {
			got[place{t.Topic, int(t.Partitions[j].Partition)}] = &t.Partitions[j]
		}
	}
	return got, res.ThrottleTimeMs > 0, nil
}

// fetchRequest is one outside of any fetch session. Its MaxBytes leave room for what all partitions may have: a broker that
// reaches it leaves the rest out, as if there were nothing.
func fetchRequest(asks []*ask) *fetch.Request {
	r := &fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(fetchWait.Milliseconds()), MinBytes: 1, MaxBytes: int32(fetchBytes * (len(asks) + 4)), SessionEpoch: -1,
	}
	for topic, asks := range byTopic(asks) {
		t := fetch.RequestTopic{Topic: topic}
		for _, a := range asks {
			t.Partitions = append(t.Partitions, fetch.RequestPartition{
				Partition: int32(a.partition), CurrentLeaderEpoch: -1, FetchOffset: a.offset, LogStartOffset: -1, PartitionMaxBytes: fetchBytes,
			})
		}
		r.Topics = append(r.Topics, t)
	}
	return r
}
