package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// ledger is a store whose time stands still, and the owners that refer to its files.
type ledger struct {
	*Store
	testing.TB
	db store.DB

	mu     sync.Mutex
	clock  time.Time
	owners map[string]string // owner: key
}

func newLedger(t testing.TB) *ledger {
	l := &ledger{TB: t, db: storetest.New(t, Specs...), clock: time.Now().Truncate(time.Second), owners: map[string]string{}}
	s, err := Open(t.Context(), "file:"+filepath.ToSlash(t.TempDir()), l.db, l.time)
	l.must(err)
	t.Cleanup(func() { _ = s.Close() })
	l.Store = s
	return l
}

func (l *ledger) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *ledger) time() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock
}

func (l *ledger) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock = l.clock.Add(d)
}

// refer lets an owner refer to a key, to nothing if it is empty.
func (l *ledger) refer(owner, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owners[owner] = key
}

func (l *ledger) refers(_ context.Context, r *Reference) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owners[r.Owner] == r.Key, nil
}

func (l *ledger) collect() {
	l.Helper()
	l.must(l.Collect(l.Context(), l.refers))
}

func (l *ledger) upload(content string) string {
	l.Helper()
	key, _, _, _, err := l.Upload(l.Context(), "acme", strings.NewReader(content), 1000)
	l.must(err)
	return key
}

func (l *ledger) there(key string) bool {
	l.Helper()
	r, _, err := l.Open(l.Context(), "acme", key)
	if fault.Is(err, fault.Gone) {
		return false
	}
	l.must(err)
	l.must(r.Close())
	return true
}

// empty checks that nothing at all is left, neither bytes nor documents.
func (l *ledger) empty() {
	l.Helper()
	it := l.bucket.List(nil)
	for {
		o, err := it.Next(l.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		l.must(err)
		l.Errorf("the bytes of %s are left", o.Key)
	}
	for _, s := range Specs {
		field := map[string]string{"blobs": "due", "blob_references": "key"}[s.Name]
		p, err := l.db.Query(l.Context(), s.Name, store.Query{Order: field})
		l.must(err)
		for _, d := range p.Docs {
			l.Errorf("%s: %s is left", s.Name, d.JSON)
		}
	}
}

func TestAnUnusedUploadIsDeletedAfterADay(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	key := l.upload("picture")
	l.pass(Unused - time.Second)
	l.collect()
	if !l.there(key) {
		t.Error("deleted before its time")
	}
	l.pass(time.Second)
	l.collect()
	if l.there(key) {
		t.Error("kept for ever")
	}
	l.empty()
}

func TestWhatIsKeptForATimeGoesAfterIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		put  func(l *ledger) string
		life time.Duration
	}{
		"in transit": {func(l *ledger) string {
			key, _, _, _, err := l.Put(l.Context(), "acme", strings.NewReader("body"), 10)
			l.must(err)
			return key
		}, InTransit},
		"kept": {func(l *ledger) string {
			key := l.upload("body")
			l.must(l.Keep(l.Context(), "acme", key, l.time().Add(90*24*time.Hour)))
			return key
		}, 90 * 24 * time.Hour},
		"uploaded, then in transit, then uploaded again": {func(l *ledger) string {
			key := l.upload("body")
			_, _, _, _, err := l.Put(l.Context(), "acme", strings.NewReader("body"), 10)
			l.must(err)
			if again := l.upload("body"); again != key {
				l.Errorf("the same bytes are kept twice: %s, %s", key, again)
			}
			return key
		}, InTransit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			key := c.put(l)
			l.pass(c.life - time.Second)
			l.collect()
			if !l.there(key) {
				t.Error("deleted before its time")
			}
			l.pass(time.Second)
			l.collect()
			if l.there(key) {
				t.Error("kept for ever")
			}
			l.empty()
		})
	}
}

func TestAFileLivesAsLongAsItsLastReference(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	key := l.upload("shared")
	for _, owner := range []string{"msg_1", "msg_2"} {
		l.must(l.Hold(t.Context(), "acme", owner, key))
		l.refer(owner, key)
	}
	for range 5 {
		l.pass(40 * 24 * time.Hour)
		l.collect()
	}
	if !l.there(key) {
		t.Fatal("deleted although two messages refer to it")
	}
	l.refer("msg_1", "")
	l.must(l.Release(t.Context(), "acme", key))
	l.collect()
	if !l.there(key) {
		t.Fatal("deleted although another message refers to it")
	}
	l.refer("msg_2", "")
	l.must(l.Release(t.Context(), "acme", key))
	l.collect()
	if l.there(key) {
		t.Error("kept without a reference")
	}
	l.empty()
}

func TestAReleaseThatWasLostIsMadeGood(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	key := l.upload("x")
	l.must(l.Hold(t.Context(), "acme", "msg_1", key))
	l.refer("msg_1", key)
	l.pass(Unused)
	l.collect()
	l.refer("msg_1", "") // and the process died before it released the file
	l.pass(recheck)
	l.collect()
	l.empty()
}

func TestAnOwnerThatIsStillToBeWrittenCounts(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	key := l.upload("x")
	l.pass(Unused - time.Second)
	l.must(l.Hold(t.Context(), "acme", "msg_1", key))
	l.pass(time.Hour)
	l.collect()
	if !l.there(key) {
		t.Fatal("deleted between hold and commit")
	}
	l.pass(unsure) // it was never committed
	l.collect()
	l.empty()
}

// TestACollectorMeetsAnotherUser lets something happen between the collector's look at the references and its decision.
func TestACollectorMeetsAnotherUser(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(l *ledger, key string) string{
		"the same content is uploaded": func(l *ledger, _ string) string { return l.upload("x") },
		"it is kept": func(l *ledger, key string) string {
			l.must(l.Keep(l.Context(), "acme", key, l.time().Add(time.Hour)))
			return key
		},
		"a message holds it": func(l *ledger, key string) string {
			l.must(l.Hold(l.Context(), "acme", "msg_late", key))
			l.refer("msg_late", key)
			return key
		},
		"the reference that is over is said again": func(l *ledger, key string) string {
			l.must(l.Hold(l.Context(), "acme", "msg_old", key))
			l.refer("msg_old", key)
			return key
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			key := l.upload("x")
			l.must(l.Hold(t.Context(), "acme", "msg_old", key))
			l.pass(unsure)
			var kept string
			l.must(l.Collect(t.Context(), func(ctx context.Context, r *Reference) (bool, error) {
				yes, err := l.refers(ctx, r)
				if kept == "" {
					kept = meanwhile(l, key)
				}
				return yes, err
			}))
			if kept == "" || !l.there(kept) {
				t.Errorf("%q is gone", kept)
			}
			l.collect()
			if !l.there(kept) {
				t.Errorf("%q is gone after the next run", kept)
			}
		})
	}
}

// TestALateDeletionMeetsANewUpload: a collector that was held up between its decision and the deletion.
func TestALateDeletionMeetsANewUpload(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	old := l.upload("x")
	l.pass(Unused)
	e, err := l.entries.Get(t.Context(), entryIDOf(old))
	l.must(err)
	late, err := l.decide(t.Context(), e, event.Time{}) // and it sleeps
	l.must(err)
	fresh := l.upload("x")
	if fresh == old {
		t.Fatal("a doomed key is given again")
	}
	if err := l.Hold(t.Context(), "acme", "msg_1", old); !fault.Is(err, fault.Gone) {
		t.Errorf("a doomed file was held: %v", err)
	}
	l.collect() // another replica does what it left
	if l.there(old) || !l.there(fresh) {
		t.Fatalf("old there: %v, new there: %v", l.there(old), l.there(fresh))
	}
	l.must(l.destroy(t.Context(), late)) // and wakes up
	l.collect()
	if !l.there(fresh) {
		t.Fatal("a late deletion took what was uploaded after it")
	}
	l.pass(Unused)
	l.collect()
	l.empty()
}

func entryIDOf(key string) string {
	sha, _ := digest(key)
	return entryID("acme", sha)
}

// dying is a database of a process that dies before its n-th write.
type dying struct {
	store.DB
	left int
}

var errDead = errors.New("the process is dead")

func (d *dying) Batch(ctx context.Context, ops []store.Op) []error {
	if d.left--; d.left < 0 {
		return slices.Repeat([]error{errDead}, len(ops))
	}
	return d.DB.Batch(ctx, ops)
}

func TestACollectorThatDiesLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			key, held := l.upload("x"), l.upload("y")
			l.must(l.Hold(t.Context(), "acme", "msg_dead", key))
			l.must(l.Hold(t.Context(), "acme", "msg_1", held))
			l.refer("msg_1", held)
			l.pass(unsure)
			mortal := *l.Store
			db := &dying{l.db, n}
			mortal.entries, mortal.references = store.NewCollection[entry](db, entrySpec), store.NewCollection[Reference](db, referenceSpec)
			if err := mortal.Collect(t.Context(), l.refers); err != nil && !errors.Is(err, errDead) {
				t.Fatal(err)
			}
			l.pass(failedFor)
			l.collect()
			if l.there(key) || !l.there(held) {
				t.Errorf("unused: %v, held: %v", l.there(key), l.there(held))
			}
			l.refer("msg_1", "")
			l.must(l.Release(t.Context(), "acme", held))
			l.pass(InTransit)
			l.collect()
			l.empty()
		})
	}
}

func TestAnUploadThatDiesBeforeItsBytesIsMadeGood(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	b, err := receive(strings.NewReader("x"), 10)
	l.must(err)
	key, err := l.register(t.Context(), "acme", b, Unused)
	l.must(err)
	if again := l.upload("x"); again != key || !l.there(key) {
		t.Errorf("%s, then %s", key, again)
	}
	l.pass(Unused)
	l.collect()
	l.empty()
}

func TestCollectorsAndUsersAtOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var users, collectors sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		collectors.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					l.pass(Unused / 2)
					if err := l.Collect(context.Background(), l.refers); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for u := range 4 {
		users.Go(func() {
			for n := range 25 {
				owner, content := fmt.Sprintf("msg_%d_%d", u, n), []byte{byte('a' + n%3)}
				key, _, _, _, err := l.Upload(context.Background(), "acme", bytes.NewReader(content), 10)
				if err != nil {
					t.Error(err)
					return
				}
				err = l.Hold(context.Background(), "acme", owner, key)
				if fault.Is(err, fault.Gone) {
					continue // it was collected: a day had passed
				}
				if err != nil {
					t.Error(err)
					return
				}
				l.refer(owner, key) // at once, or the clock would run away with it
				if r, _, err := l.Open(context.Background(), "acme", key); err != nil {
					t.Errorf("%s refers to %s: %v", owner, key, err)
				} else {
					_ = r.Close()
				}
			}
		})
	}
	users.Wait()
	close(done)
	collectors.Wait()
}

func TestWhatTheLedgerDoesNotKnowStays(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	b, err := receive(strings.NewReader("old"), 10)
	l.must(err)
	key := plainKey("acme", b.sha) // as earlier versions named it
	l.must(l.write(t.Context(), key, b))
	l.must(l.Hold(t.Context(), "acme", "msg_1", key))
	l.must(l.Keep(t.Context(), "acme", key, l.time()))
	l.must(l.Release(t.Context(), "acme", key))
	l.pass(10 * InTransit)
	l.collect()
	if !l.there(key) {
		t.Error("a file of an earlier version was deleted")
	}
}

// away is a database that does not answer.
type away struct{ store.DB }

func (away) Get(context.Context, string, ...string) ([]store.Raw, error) {
	return nil, store.Away(errors.New("away"))
}

func TestAProvidersFileIsTakenWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), "mem://", away{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	key, _, _, _, err := s.Put(t.Context(), "acme", strings.NewReader("body"), 10)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.Open(t.Context(), "acme", key); err != nil {
		t.Error(err)
	} else {
		_ = r.Close()
	}
	if _, _, _, _, err := s.Upload(t.Context(), "acme", strings.NewReader("body"), 10); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an upload while the store is away: %v", err)
	}
}

func TestAnotherTenantsFileIsNotHeld(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	key := l.upload("x")
	if err := l.Hold(t.Context(), "other", "msg_1", key); !fault.Is(err, fault.Gone) {
		t.Error(err)
	}
	l.must(l.Release(t.Context(), "other", key))
	l.pass(Unused)
	l.collect()
	l.empty()
}

// TestARunIsBounded: what does not fit into a run is left to the next.
func TestARunIsBounded(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var es []*entry
	for i := range collectPage + 5 {
		e := &entry{Until: event.At(l.time()), Due: event.At(l.time()), Key: plainKey("acme", fmt.Sprintf("%064x", i)) + ".x"}
		e.ID, e.Tenant = fmt.Sprint("blb_", i), "acme"
		es = append(es, e)
	}
	l.must(errors.Join(l.entries.InsertMany(t.Context(), es...)...))
	l.must(l.Store.collect(t.Context(), l.refers, 1))
	left, err := l.entries.Count(t.Context(), store.Query{Range: &store.Range{Field: "due", To: l.at().String(), ToIncl: true}}, 100)
	l.must(err)
	if left != 5 {
		t.Errorf("%d are left to the next run", left)
	}
}
