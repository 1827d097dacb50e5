package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"
)

// cluster answers a producer's requests as a broker does, with two partitions per topic.
type cluster struct {
	mu       sync.Mutex
	requests []string // partition: values, …
	acks     []int16
	hold     chan struct{} // not nil: requests wait for it
	fail     []error       // for the next requests
	open     map[int32]int // requests under way
	most     int           // of one partition
}

func (c *cluster) RoundTrip(_ context.Context, _ net.Addr, req kafka.Request) (kafka.Response, error) {
	switch r := req.(type) {
	case *metadata.Request:
		res := &metadata.Response{}
		for _, t := range r.TopicNames {
			res.Topics = append(res.Topics, metadata.ResponseTopic{Name: t, Partitions: []metadata.ResponsePartition{{PartitionIndex: 0}, {PartitionIndex: 1}}})
		}
		return res, nil
	case *produce.Request:
		return c.produce(r)
	}
	return nil, errors.ErrUnsupported
}

func (c *cluster) produce(r *produce.Request) (kafka.Response, error) {
	c.mu.Lock()
	c.acks = append(c.acks, r.Acks)
	for _, p := range r.Topics[0].Partitions {
		c.open[p.Partition]++
		c.most = max(c.most, c.open[p.Partition])
	}
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		<-hold
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var heard []string
	res := produce.ResponseTopic{Topic: r.Topics[0].Topic}
	var broken error
	for _, p := range r.Topics[0].Partitions {
		c.open[p.Partition]--
		heard = append(heard, fmt.Sprintf("%d: %s", p.Partition, strings.Join(values(p.RecordSet.Records), " ")))
		one := produce.ResponsePartition{Partition: p.Partition}
		if len(c.fail) > 0 {
			err := c.fail[0]
			c.fail = c.fail[1:]
			if code, answered := errors.AsType[kafka.Error](err); answered {
				one.ErrorCode = int16(code)
			} else {
				broken = err
			}
		}
		res.Partitions = append(res.Partitions, one)
	}
	slices.Sort(heard)
	c.requests = append(c.requests, strings.Join(heard, ", "))
	if broken != nil {
		return nil, broken
	}
	return &produce.Response{Topics: []produce.ResponseTopic{res}}, nil
}

func values(r kafka.RecordReader) (all []string) {
	for {
		rec, err := r.ReadRecord()
		if errors.Is(err, io.EOF) {
			return all
		}
		v, _ := protocol.ReadAll(rec.Value)
		all = append(all, string(v))
	}
}

func (c *cluster) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

func newTestProducer(c *cluster) *producer {
	c.open = map[int32]int{}
	client := &kafka.Client{Addr: kafka.TCP("127.0.0.1:1"), Transport: c}
	return &producer{
		client: client, layout: newLayout(client), lineups: map[place]*lineup{}, lines: map[int]*line{}, atOnce: 1,
		warn: func(string, int, int, error) {},
	}
}

func message(key, value string) kafka.Message {
	return kafka.Message{Topic: "t", Key: []byte(key), Value: []byte(value)}
}

func TestP1_EveryRequestWaitsForAllReplicas(t *testing.T) {
	t.Parallel()
	c := &cluster{}
	p := newTestProducer(c)
	if err := p.write(t.Context(), []kafka.Message{message("a", "1"), message("b", "2")}, func() {}); err != nil {
		t.Fatal(err)
	}
	p.close()
	for _, a := range c.acks {
		if a != -1 {
			t.Errorf("a request for %d acknowledgements", a)
		}
	}
	if err := p.write(t.Context(), []kafka.Message{message("a", "3")}, func() {}); !errors.Is(err, errClosed) || len(c.acks) == 0 {
		t.Errorf("after close: %v", err)
	}
}

// What comes while a request is under way goes together in the next one, in the order in which it came.
func TestP4_RecordsThatComeMeanwhileGoTogetherInOrder(t *testing.T) {
	t.Parallel()
	c := &cluster{hold: make(chan struct{})}
	p := newTestProducer(c)
	at := balancer.Balance(message("a", ""), 0, 1)
	var all sync.WaitGroup
	say := func(n int, arrived func() bool) {
		all.Go(func() {
			if err := p.write(t.Context(), []kafka.Message{message("a", fmt.Sprint(n))}, func() {}); err != nil {
				t.Error(err)
			}
		})
		until(t, fmt.Sprintf("record %d does not arrive", n), arrived)
	}
	say(0, func() bool { return c.underWay(at) == 1 })
	for n := 1; n < 6; n++ {
		say(n, func() bool { return waiting(p, place{"t", at}) == n })
	}
	close(c.hold)
	all.Wait()
	p.close()
	got := strings.Join(c.seen(), "; ")
	if got != fmt.Sprintf("%d: 0; %d: 1 2 3 4 5", at, at) || c.most != 1 {
		t.Errorf("requests %q, %d of a partition at once", got, c.most)
	}
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// waiting counts the pieces that wait for a partition.
func waiting(p *producer, at place) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lineups[at].waiting)
}

func (c *cluster) underWay(partition int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[int32(partition)]
}

func TestARequestIsMadeAgainWithTheSameRecords(t *testing.T) {
	t.Parallel()
	c := &cluster{fail: []error{kafka.NotLeaderForPartition, io.ErrUnexpectedEOF}}
	p := newTestProducer(c)
	if err := p.write(t.Context(), []kafka.Message{message("a", "1"), message("a", "2")}, func() {}); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprint(balancer.Balance(message("a", ""), 0, 1)) + ": 1 2"
	if diff := cmp.Diff([]string{at, at, at}, c.seen()); diff != "" {
		t.Error(diff)
	}
	c.fail = []error{kafka.MessageSizeTooLarge}
	if err := p.write(t.Context(), []kafka.Message{message("a", "3")}, func() {}); !errors.Is(err, kafka.MessageSizeTooLarge) || len(c.seen()) != 4 {
		t.Errorf("%v after %d requests: what cannot succeed is not tried again", err, len(c.seen()))
	}
	p.close()
}

// Records of a call that need two requests: if the first fails, a reader would skip it were the second written. Other
// calls go on.
func TestP4_WhatIsBehindAFailureOfTheSameCallIsNotWritten(t *testing.T) {
	t.Parallel()
	c := &cluster{fail: []error{kafka.MessageSizeTooLarge}, hold: make(chan struct{})}
	p := newTestProducer(c)
	many := slices.Repeat([]kafka.Message{message("a", "many")}, batchRecords+1)
	at := place{"t", balancer.Balance(message("a", ""), 0, 1)}
	var failed, next error
	var over atomic.Int32
	var all sync.WaitGroup
	all.Go(func() { failed = p.write(t.Context(), many, func() { over.Add(1) }) })
	until(t, "nothing is under way", func() bool { return c.underWay(at.partition) == 1 })
	all.Go(func() { next = p.write(t.Context(), []kafka.Message{message("a", "next")}, func() { over.Add(1) }) })
	until(t, "the next call does not wait", func() bool { return waiting(p, at) == 2 })
	close(c.hold)
	all.Wait()
	p.close()
	if !errors.Is(failed, kafka.MessageSizeTooLarge) || next != nil || over.Load() != 2 {
		t.Errorf("the call that fails: %v; the next one: %v; %d of 2 are over", failed, next, over.Load())
	}
	tail := c.seen()[1:]
	if diff := cmp.Diff([]string{fmt.Sprintf("%d: next", at.partition)}, tail); diff != "" {
		t.Errorf("behind the failure (-want +got):\n%s", diff)
	}
}

func TestRequestsHaveBounds(t *testing.T) {
	t.Parallel()
	c := &cluster{}
	p := newTestProducer(c)
	var many []kafka.Message
	for n := range 3*batchRecords + 1 {
		many = append(many, message("a", fmt.Sprint(n)))
	}
	for range 4 {
		many = append(many, message("a", strings.Repeat("x", batchBytes/3)))
	}
	if err := p.write(t.Context(), many, func() {}); err != nil {
		t.Fatal(err)
	}
	p.close()
	var records int
	for _, r := range c.seen() {
		values := strings.Fields(r)[1:]
		if records += len(values); len(values) > batchRecords || len(r) > batchBytes {
			t.Errorf("a request of %d records, %d bytes", len(values), len(r))
		}
	}
	if records != len(many) {
		t.Errorf("%d records of %d", records, len(many))
	}
}

// What waits for the same broker goes in one request. Of a request that fails in part, only that part is made again.
func TestPartitionsOfABrokerShareARequest(t *testing.T) {
	t.Parallel()
	c := &cluster{hold: make(chan struct{})}
	p := newTestProducer(c)
	a, b := message("a", "1"), message("b", "2")
	for n := 0; balancer.Balance(b, 0, 1) == balancer.Balance(a, 0, 1); n++ {
		b.Key = fmt.Append(nil, n)
	}
	first, second := balancer.Balance(a, 0, 1), balancer.Balance(b, 0, 1)
	var all sync.WaitGroup
	say := func(ms ...kafka.Message) {
		all.Go(func() {
			if err := p.write(t.Context(), ms, func() {}); err != nil {
				t.Error(err)
			}
		})
	}
	say(message("a", "0"))
	until(t, "nothing is under way", func() bool { return c.underWay(first) == 1 })
	say(a, b)
	until(t, "nothing waits", func() bool { return waiting(p, place{"t", first}) == 1 && waiting(p, place{"t", second}) == 1 })
	c.mu.Lock()
	c.fail = []error{nil, nil, kafka.NotLeaderForPartition}
	c.mu.Unlock()
	close(c.hold)
	all.Wait()
	p.close()
	// b's partition was in the line while a's was still under way.
	both := []string{fmt.Sprintf("%d: 1", first), fmt.Sprintf("%d: 2", second)}
	slices.Sort(both)
	if diff := cmp.Diff([]string{fmt.Sprintf("%d: 0", first), strings.Join(both, ", "), fmt.Sprintf("%d: 1", first)}, c.seen()); diff != "" {
		t.Error(diff)
	}
}
