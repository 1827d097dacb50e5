package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// half a kilobyte of JSON with two compound indexes, as measured in the engineering notes.
type benched struct {
	store.Meta
	Status string     `json:"status"`
	Holder string     `json:"holder"`
	At     event.Time `json:"at"`
	Text   string     `json:"text"`
	N      int64      `json:"n"`
}

var benchSpec = store.Spec{Name: "benched", Indexes: []store.Index{
	{Name: "by_status", Fields: []string{"tenant", "status", "at"}},
	{Name: "by_holder", Fields: []string{"tenant", "holder", "at"}},
}}

func benchDoc(i int64) *benched {
	return &benched{
		Meta: store.Meta{ID: fmt.Sprintf("cnv_%026d", i), Tenant: "acme"}, Status: "open", Holder: fmt.Sprintf("agent%d", i%50),
		At: event.At(time.UnixMilli(1700000000000 + i)), Text: fmt.Sprintf("%0300d", i),
	}
}

func benchOpen(b *testing.B) *store.Collection[benched] {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := db.Ensure(b.Context(), benchSpec); err != nil {
		b.Fatal(err)
	}
	return store.NewCollection[benched](db, benchSpec)
}

// callers runs do b.N times from so many callers and reports how many per second.
func spread(b *testing.B, callers int, do func(i int64) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(b.N) {
					return
				}
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkInsert(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			c := benchOpen(b)
			spread(b, callers, func(i int64) error { return c.Insert(b.Context(), benchDoc(i)) })
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			c := benchOpen(b)
			fillBench(b, c, 2000)
			spread(b, callers, func(i int64) error {
				_, err := c.Update(b.Context(), benchDoc(i%2000).ID, func(d *benched) error { d.N++; return nil })
				return err
			})
		})
	}
}

// BenchmarkUpdateHot has all callers change one document.
func BenchmarkUpdateHot(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			c := benchOpen(b)
			fillBench(b, c, 1)
			spread(b, callers, func(int64) error {
				_, err := c.Update(b.Context(), benchDoc(0).ID, func(d *benched) error { d.N++; return nil })
				return err
			})
		})
	}
}

// BenchmarkPage reads 25 documents by a compound index, out of 100,000, from a position anywhere.
func BenchmarkPage(b *testing.B) {
	c := benchOpen(b)
	const all = 100_000
	fillBench(b, c, all)
	b.ResetTimer()
	for i := range b.N {
		from := event.At(time.UnixMilli(1700000000000 + int64(i*7919%all)))
		docs, _, _, err := c.Query(b.Context(), store.Query{
			Where: []store.Eq{{Field: "tenant", Value: "acme"}, {Field: "status", Value: "open"}},
			Range: &store.Range{Field: "at", To: from, ToIncl: true}, Desc: true,
		})
		if err != nil || len(docs) == 0 {
			b.Fatal(len(docs), err)
		}
	}
}

// BenchmarkFacts is the whole way of a message: update with a fact, its record, publish, clear.
func BenchmarkFacts(b *testing.B) {
	storetest.BenchFacts(b, open)
}

func fillBench(b *testing.B, c *store.Collection[benched], n int64) {
	b.Helper()
	for from := int64(0); from < n; from += 500 {
		var docs []*benched
		for i := from; i < min(from+500, n); i++ {
			docs = append(docs, benchDoc(i))
		}
		for _, err := range c.InsertMany(b.Context(), docs...) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
