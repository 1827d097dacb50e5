package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// log answers fetches as a broker does that leads every partition of its topics: "a" has four.
type log struct {
	mu       sync.Mutex
	requests []string                                                  // the partitions of each
	answer   func(n int, p int32) (values string, end int64, code int) // to the nth request
	throttle map[int]int32                                             // milliseconds, by request
	fail     map[int]error
}

func (l *log) RoundTrip(_ context.Context, _ net.Addr, req kafka.Request) (kafka.Response, error) {
	if _, ok := req.(*metadata.Request); ok {
		t := metadata.ResponseTopic{Name: "a"}
		for p := range int32(4) {
			t.Partitions = append(t.Partitions, metadata.ResponsePartition{PartitionIndex: p, LeaderID: 7})
		}
		return &metadata.Response{Brokers: []metadata.ResponseBroker{{NodeID: 7, Host: "h"}}, Topics: []metadata.ResponseTopic{t}}, nil
	}
	r, ok := req.(*fetch.Request)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.requests)
	var asked []string
	res := &fetch.Response{Topics: []fetch.ResponseTopic{{Topic: "a"}}, ThrottleTimeMs: l.throttle[n]}
	for _, p := range r.Topics[0].Partitions {
		asked = append(asked, fmt.Sprint(p.Partition))
		if p.PartitionMaxBytes > fetchBytes || r.MaxBytes < p.PartitionMaxBytes*int32(len(r.Topics[0].Partitions)) {
			return nil, fmt.Errorf("%d bytes of %d for %d partitions", p.PartitionMaxBytes, r.MaxBytes, len(r.Topics[0].Partitions))
		}
		values, end, code := l.answer(n, p.Partition)
		one := fetch.ResponsePartition{Partition: p.Partition, HighWatermark: end, ErrorCode: int16(code)}
		if values != "" {
			var recs []protocol.Record
			for i, v := range strings.Fields(values) {
				recs = append(recs, protocol.Record{Offset: p.FetchOffset + int64(i), Value: protocol.NewBytes([]byte(v))})
			}
			one.RecordSet.Records = protocol.NewRecordReader(recs...)
		}
		res.Topics[0].Partitions = append(res.Topics[0].Partitions, one)
	}
	slices.Sort(asked)
	l.requests = append(l.requests, strings.Join(asked, " "))
	return res, l.fail[n]
}

func (l *log) fetcher(linger time.Duration) *fetcher {
	client := &kafka.Client{Addr: kafka.TCP("127.0.0.1:1"), Transport: l}
	return &fetcher{client: client, layout: newLayout(client), linger: linger, lines: map[int][]*ask{}}
}

// together lets some partitions ask at the same moment, and returns what they get once all have something.
func (l *log) together(t *testing.T, f *fetcher, partitions ...int) []string {
	t.Helper()
	got := make([]string, len(partitions))
	var all sync.WaitGroup
	for i, p := range partitions {
		all.Go(func() {
			rr, end, err := f.fetch(t.Context(), ask{place: place{"a", p}, offset: 10})
			if err != nil {
				got[i] = fmt.Sprint(p, ": ", err)
				return
			}
			got[i] = fmt.Sprint(p, ": ", strings.Join(values(rr), " "), " of ", end)
		})
	}
	all.Wait()
	return got
}

// Partitions that wait at the same moment share a request; those for which there is nothing ask again, with whoever waits by then.
func TestPartitionsShareAFetch(t *testing.T) {
	t.Parallel()
	l := &log{answer: func(n int, p int32) (string, int64, int) {
		if n < int(p) {
			return "", 10, 0
		}
		return fmt.Sprint("x", p, " y"), 12, 0
	}}
	got := l.together(t, l.fetcher(50*time.Millisecond), 0, 1, 2)
	if diff := cmp.Diff([]string{"0: x0 y of 12", "1: x1 y of 12", "2: x2 y of 12"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"0 1 2", "1 2", "2"}, l.requests); diff != "" {
		t.Error(diff)
	}
}

func TestAFetchFailsForThePartitionsThatItFailsFor(t *testing.T) {
	t.Parallel()
	l := &log{answer: func(_ int, p int32) (string, int64, int) {
		if p == 1 {
			return "", 0, int(kafka.NotLeaderForPartition)
		}
		return "x", 11, 0
	}}
	got := l.together(t, l.fetcher(50*time.Millisecond), 0, 1)
	if diff := cmp.Diff([]string{"0: x of 11", "1: " + kafka.NotLeaderForPartition.Error()}, got); diff != "" {
		t.Error(diff)
	}
}

// A leader that has moved concerns only its own partitions.
func TestPartitionsOfOtherLeadersPart(t *testing.T) {
	t.Parallel()
	l := &log{
		answer: func(int, int32) (string, int64, int) { return "x", 11, 0 },
		fail:   map[int]error{0: fetch.NewError(errors.New("mismatching leaders"))},
	}
	got := l.together(t, l.fetcher(50*time.Millisecond), 0, 1)
	if diff := cmp.Diff([]string{"0: x of 11", "1: x of 11"}, got); diff != "" {
		t.Error(diff)
	}
	if slices.Sort(l.requests[1:]); !slices.Equal(l.requests, []string{"0 1", "0", "1"}) {
		t.Errorf("requests %q", l.requests)
	}
}

// A broker that throttles answers with nothing although there is something, and one with a large batch to whoever does not come first:
// neither is a reason to step over a record.
func TestP1_NothingIsSteppedOverThatIsOnlyLate(t *testing.T) {
	t.Parallel()
	throttled := map[int]int32{}
	for n := range 8 {
		throttled[n] = 5
	}
	l := &log{throttle: throttled, answer: func(n int, _ int32) (string, int64, int) {
		if n < 10 {
			return "", 20, 0
		}
		return "x", 20, 0
	}}
	f := l.fetcher(time.Millisecond)
	c := &cursor{place: place{"a", 2}, source: f, offset: 10, jumped: func(int64, int64) { t.Error("jumped") }}
	var recs []record
	for len(recs) == 0 && t.Context().Err() == nil {
		var err error
		if recs, err = c.next(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(recs) == 0 && c.offset != 10 {
			t.Fatalf("stepped to %d", c.offset)
		}
	}
	if recs[0].offset != 10 || string(recs[0].value) != "x" || len(l.requests) != 11 {
		t.Errorf("%+v after %d requests", recs[0], len(l.requests))
	}
}

// What holds no record for us is stepped over, after the partition has asked alone.
func TestWhatHoldsNoRecordIsSteppedOver(t *testing.T) {
	t.Parallel()
	l := &log{answer: func(int, int32) (string, int64, int) { return "", 20, 0 }}
	f := l.fetcher(time.Hour)
	c := &cursor{place: place{"a", 2}, source: f, offset: 10, empty: 1}
	for range 2 {
		if _, err := c.next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if c.offset != 11 {
		t.Errorf("at %d", c.offset)
	}
}

func TestNobodyWaitsForAFetchThatIsNotWanted(t *testing.T) {
	t.Parallel()
	l := &log{answer: func(int, int32) (string, int64, int) { return "", 10, 0 }}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := l.fetcher(time.Millisecond).fetch(ctx, ask{place: place{"a", 0}, offset: 10}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
