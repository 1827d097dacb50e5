package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchFacts measures the whole way of a change with a fact over 200 documents from 64 callers, until everything is published
// and cleared.
func BenchFacts(b *testing.B, open Opener) {
	db := open(b)
	setup(b, db)
	var p Publisher
	a := newProcess(db, &p)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := a.count(ctx, fmt.Sprintf("c%d", i%200), 1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "committed/s")
	if err := a.Flush(ctx); err != nil {
		b.Error(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "published/s")
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
}
