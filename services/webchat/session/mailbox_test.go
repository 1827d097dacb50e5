package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// flaky loses writes, or their answers.
type flaky struct {
	store.DB
	mu   sync.Mutex
	rand *rand.Rand
}

var errLost = errors.New("lost")

func (f *flaky) roll() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.IntN(8)
}

func (f *flaky) Batch(ctx context.Context, ops []store.Op) []error {
	all := func() []error { return slices.Repeat([]error{errLost}, len(ops)) }
	switch f.roll() {
	case 0:
		return all()
	case 1:
		f.DB.Batch(ctx, ops)
		return all()
	}
	return f.DB.Batch(ctx, ops)
}

func boxes(db store.DB) mailboxes {
	return mailboxes{heads: store.NewCollection[head](db, headSpec, store.Recall()), letters: store.NewCollection[letter](db, letterSpec), now: time.Now}
}

func TestP3_AMailboxHasNoHolesAndNoDoubles(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Ensure(t.Context(), headSpec, letterSpec); err != nil {
		t.Fatal(err)
	}
	box := 0
	rapid.Check(t, func(t *rapid.T) {
		box++
		id, ctx := fmt.Sprint("box_", box), context.Background()
		seed := rapid.Uint64().Draw(t, "seed")
		writers, keys := rapid.IntRange(1, 3).Draw(t, "writers"), rapid.IntRange(1, 2*atMost+1).Draw(t, "keys")
		body := fmt.Sprintf(`{"t":%q}`, strings.Repeat("x", rapid.SampledFrom([]int{1, bodiesOf / 3, bodiesOf}).Draw(t, "size")))
		var mu sync.Mutex
		told := map[string]int64{}
		var work sync.WaitGroup
		for n := range writers { // each puts every key, as often as it takes
			m := boxes(&flaky{DB: db, rand: rand.New(rand.NewPCG(seed, uint64(n)))})
			work.Go(func() {
				for k := range keys {
					key := fmt.Sprint("key ", (k+n)%keys)
					for {
						looked := int64(0)
						if k%2 == 1 { // a browser's message is looked for first
							known, place, err := m.glance(ctx, id, key)
							if err != nil {
								t.Errorf("find %s: %v", key, err)
							}
							if known == nil {
								looked = place
							}
						}
						l, _, err := m.put(ctx, "t", key, letter{Mailbox: id, Body: body}, looked)
						if err != nil {
							continue
						}
						mu.Lock()
						if was, ok := told[key]; ok && was != l.Seq {
							t.Errorf("%s has the places %d and %d", key, was, l.Seq)
						}
						told[key] = l.Seq
						mu.Unlock()
						break
					}
				}
			})
		}
		work.Wait()
		m := boxes(db)
		for from := range int64(keys) {
			r, err := m.after(ctx, id, from)
			if err != nil || r.gap || len(r.letters) != keys-int(from) || r.last != int64(keys) {
				t.Fatalf("after %d: %d frames to %d, gap %v, %v", from, len(r.letters), r.last, r.gap, err)
			}
			for i, l := range r.letters {
				if l.Seq != from+int64(i)+1 {
					t.Fatalf("after %d: place %d holds %d", from, i, l.Seq)
				}
			}
		}
		limit := rapid.IntRange(1, keys+1).Draw(t, "limit")
		var all []int64
		for before, more := int64(1)<<53, true; more; {
			ls, again, err := m.before(ctx, id, before, limit)
			if err != nil || len(ls) == 0 {
				t.Fatalf("before %d: %d, %v", before, len(ls), err)
			}
			for _, l := range slices.Backward(ls) {
				all = append(all, l.Seq)
			}
			before, more = ls[0].Seq, again
		}
		for i, seq := range all {
			if seq != int64(keys-i) {
				t.Fatalf("history: %v", all)
			}
		}
		if len(all) != keys {
			t.Fatalf("history: %v", all)
		}
	})
}

// A frame that was filed before it was changed in the head, by a writer that then failed, is filed as it is now.
func TestAChangedFrameIsFiledAsItIs(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Ensure(t.Context(), headSpec, letterSpec); err != nil {
		t.Fatal(err)
	}
	m, ctx := boxes(db), t.Context()
	put := func(key string) {
		t.Helper()
		if _, _, err := m.put(ctx, "t", key, letter{Mailbox: "box", Body: `{"t":"old"}`}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for n := range atMost {
		put(fmt.Sprint("key ", n))
	}
	h, err := m.head(ctx, "box")
	if err != nil {
		t.Fatal(err)
	}
	stale := slices.Clone(h.Newest)
	if err := m.file(ctx, stale[:1]); err != nil { // and the writer died, or lost its compare-and-set
		t.Fatal(err)
	}
	for _, key := range []string{"key 0", "key 1"} {
		if found, err := m.rewrite(ctx, "box", key, func(string) string { return `{"t":"new"}` }); err != nil || !found {
			t.Fatalf("%s: %v, %v", key, found, err)
		}
	}
	if err := m.file(ctx, stale[1:2]); err != nil { // one that has read the head before the change
		t.Fatal(err)
	}
	put("one more")                                // files what the head holds
	if err := m.file(ctx, stale[:2]); err != nil { // one that comes late
		t.Fatal(err)
	}
	for n, want := range []string{`{"t":"new"}`, `{"t":"new"}`, `{"t":"old"}`} {
		if l, err := m.find(ctx, "box", fmt.Sprint("key ", n)); err != nil || l == nil || l.Body != want {
			t.Errorf("frame %d is %+v, %v, want %s", n, l, err, want)
		}
	}
	if found, err := m.rewrite(ctx, "box", "nothing", func(b string) string { return b }); err != nil || found {
		t.Errorf("a frame that is not there: %v, %v", found, err)
	}
}
