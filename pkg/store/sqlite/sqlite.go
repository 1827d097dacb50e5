// Package sqlite keeps documents in a SQLite file: the store of the single binary, and of processes of one machine that share
// the file.
//
// A collection is a table of JSON texts; the fields of declared indexes are virtual generated columns, an array field has a
// side table kept by triggers, lists are a B-tree kept by the writer, and words are an FTS5 index. One goroutine per process writes: it commits whatever has queued up
// while the last commit was on its way to the disk (WAL, synchronous=FULL). Readers have connections of their own.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	busyTimeout = 10 * time.Second // for another process's transaction
	apart       = 7                // connections for reads that go alone, and for checkpoints
	janitorRest = time.Minute      // expired documents leave the file this often
)

// pragmas of every connection. FULL: a commit survives the loss of power, not just of the process.
var pragmas = []string{
	fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
	"journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-16384)", "journal_size_limit(67108864)",
	"wal_autocheckpoint(12000)",
}

// DB is a SQLite file.
type DB struct {
	read   *sql.DB
	writer *writer
	stop   context.CancelFunc
	done   sync.WaitGroup
	reads  chan *reading   // small ones, which go together
	closed context.Context // ends with Close
	leads  *store.Leads

	mu    sync.RWMutex
	known map[string]*collection
	stmts map[string]*sql.Stmt
}

var _ store.DB = (*DB)(nil)

// Open opens the file at path and makes it if it is not there. Several processes may have it open; it must lie on a local disk.
func Open(ctx context.Context, path string) (store.DB, error) { return open(ctx, path) }

func open(ctx context.Context, path string) (*DB, error) {
	write, err := connect(ctx, path, 1)
	if err != nil {
		return nil, fmt.Errorf("sqlite %s: %w", path, err)
	}
	read, err := connect(ctx, path, apart+readers())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite %s: %w", path, err), write.Close())
	}
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	db := &DB{read: read, stop: stop, reads: make(chan *reading, readTogether), closed: base, leads: store.NewLeads(), known: map[string]*collection{}, stmts: map[string]*sql.Stmt{}}
	if err := db.begin(base, write); err != nil {
		stop()
		db.done.Wait()
		return nil, errors.Join(fmt.Errorf("sqlite %s: %w", path, err), write.Close(), read.Close())
	}
	return db, nil
}

// begin starts who writes, who reads, who moves the log into the database and who cleans up.
func (db *DB) begin(ctx context.Context, write *sql.DB) (err error) {
	if db.writer, err = newWriter(ctx, write); err != nil {
		return err
	}
	for range readers() {
		r, err := newReader(ctx, db.read, db.reads)
		if err != nil {
			return err
		}
		db.done.Go(func() { r.run(ctx) })
	}
	db.done.Go(func() { db.writer.run(ctx) })
	db.done.Go(func() { db.checkpoint(ctx) })
	db.done.Go(func() { db.janitor(ctx) })
	return nil
}

// readers is how many goroutines serve small reads.
func readers() int { return min(max(runtime.GOMAXPROCS(0), 2), 8) }

// connect opens a pool. Several processes that make the file WAL at the same moment meet SQLITE_BUSY at once, whatever the
// busy timeout, so that is tried again.
func connect(ctx context.Context, path string, conns int) (*sql.DB, error) {
	q := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	deadline := time.Now().Add(busyTimeout)
	for {
		err = pool.PingContext(ctx)
		if err == nil || code(err) != busy || time.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(5 * time.Millisecond):
			continue
		}
		break
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// Ping implements store.DB.
func (db *DB) Ping(ctx context.Context) error { return store.Away(db.read.PingContext(ctx)) }

// Close finishes the writes that are queued and closes the file.
func (db *DB) Close() error {
	db.stop()
	db.done.Wait()
	return errors.Join(db.writer.close(), db.read.Close())
}

// prepared returns the statement, prepared once per connection.
func (db *DB) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	db.mu.RLock()
	s := db.stmts[text]
	db.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	s, err := db.read.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if first := db.stmts[text]; first != nil {
		return first, s.Close()
	}
	db.stmts[text] = s
	return s, nil
}

func (db *DB) collection(name string) (*collection, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if c := db.known[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("sqlite: collection %q was not ensured", name)
}

// janitor deletes expired documents, a bounded number at a time so that other writes come between.
func (db *DB) janitor(ctx context.Context) {
	t := time.NewTicker(janitorRest)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_ = db.expire(ctx) // nothing depends on it: reads do not see what has expired, and the next round comes
		}
	}
}

func (db *DB) expire(ctx context.Context) error {
	db.mu.RLock()
	var all []*collection
	for _, c := range db.known {
		if c.spec.Expires {
			all = append(all, c)
		}
	}
	db.mu.RUnlock()
	for _, c := range all {
		for {
			n, err := db.writer.exec(ctx, c.expireSQL(), time.Now().UnixMilli())
			if err != nil {
				return fmt.Errorf("sqlite %s: expire: %w", c.spec.Name, err)
			}
			if n < expireAtOnce {
				break
			}
		}
	}
	return nil
}
