package bustest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

// One caller: ns/op is the latency of a synchronous publish.
func BenchmarkPublishOne(b *testing.B) {
	k := New(b)
	for n := 0; b.Loop(); n++ {
		publish(b, k, rec(event.TopicInbound, fmt.Sprint("k", n%100), "1"))
	}
}

// 256 callers, each waiting for its own acknowledgement.
func BenchmarkPublishMany(b *testing.B) {
	k := New(b)
	b.SetParallelism(256 / 2)
	var n atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		key := fmt.Sprint("k", n.Add(1))
		for pb.Next() {
			if err := k.Publish(b.Context(), rec(event.TopicInbound, key, "1")); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkConsume(b *testing.B) {
	k := New(b)
	const page = 500
	recs := make([]event.Record, page)
	for i := range recs {
		recs[i] = rec(event.TopicInbound, fmt.Sprint("k", i), "1")
	}
	total := int64(0)
	for ; total < int64(b.N); total += page {
		publish(b, k, recs...)
	}
	var got atomic.Int64
	done := make(chan struct{})
	b.ResetTimer()
	stop := Run(b, k, inbound("g", func(context.Context, bus.Message) error {
		if got.Add(1) == total {
			close(done)
		}
		return nil
	}))
	select {
	case <-done:
	case <-time.After(time.Minute):
		b.Fatalf("%d of %d", got.Load(), total)
	}
	b.StopTimer()
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "records/s")
	stop()
}
