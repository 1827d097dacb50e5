package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	together = 512                     // ops in one transaction
	company  = time.Millisecond        // several writes wait at least so long for more
	latest   = 20 * time.Millisecond   // and at most so long
	yield    = 1500 * time.Microsecond // given to other processes between transactions, while they want it
)

// errClosed is what writes get after Close.
var errClosed = errors.New("sqlite: closed")

// writer is the one that writes. Jobs that come while a transaction is on its way to the disk make up the next one: alone a
// write waits for nobody, and among many each sync of the disk serves hundreds.
type writer struct {
	db        *sql.DB
	tx        *tx
	jobs      chan *job
	closed    chan struct{}
	contended time.Time     // when another process was last in the way
	took      time.Duration // the last transaction
	log       *checkpointer
}

// job is work for one transaction. run's error voids the whole transaction.
type job struct {
	ctx   context.Context
	size  int
	alone bool
	run   func(*tx) error
	done  chan error
}

// tx is the transaction under way, on the writer's connection.
type tx struct {
	ctx   context.Context
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Waiting for another process is the writer's own affair: SQLite's wait is coarse, so that one of two would starve.
	// Its page cache is larger than that of readers, who drop theirs with every commit.
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 0; PRAGMA cache_size = -65536`); err != nil {
		return nil, err
	}
	// A transaction once begun is not torn by a context: its jobs belong to several callers.
	t := &tx{ctx: context.WithoutCancel(ctx), conn: conn, stmts: map[string]*sql.Stmt{}}
	return &writer{db: db, tx: t, jobs: make(chan *job, together), closed: make(chan struct{}), log: newCheckpointer()}, nil
}

func (w *writer) close() error { return errors.Join(w.tx.conn.Close(), w.db.Close()) }

// do lets run take part in a transaction and returns when it is on the disk. If ctx ends first, the job may still be done.
func (w *writer) do(ctx context.Context, size int, run func(*tx) error) error {
	return w.submit(&job{ctx: ctx, size: size, run: run, done: make(chan error, 1)})
}

// alone gives run a transaction for itself, which is rolled back if run fails.
func (w *writer) alone(ctx context.Context, run func(*tx) error) error {
	return w.submit(&job{ctx: ctx, size: together, alone: true, run: run, done: make(chan error, 1)})
}

// exec runs one statement and tells how many rows it changed.
func (w *writer) exec(ctx context.Context, text string, args ...any) (int64, error) {
	var n int64
	err := w.do(ctx, 1, func(t *tx) (err error) {
		n, err = t.exec(text, args...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (w *writer) submit(j *job) error {
	select {
	case w.jobs <- j:
	case <-j.ctx.Done():
		return store.Away(j.ctx.Err())
	case <-w.closed:
		return store.Away(errClosed)
	}
	select {
	case err := <-j.done:
		return err
	case <-j.ctx.Done():
		return store.Away(j.ctx.Err())
	case <-w.closed:
		select {
		case err := <-j.done:
			return err
		default:
			return store.Away(errClosed)
		}
	}
}

// run writes until ctx ends, and then what is queued.
func (w *writer) run(ctx context.Context) {
	defer close(w.closed)
	var next *job
	for {
		if next == nil {
			select {
			case next = <-w.jobs:
			case <-ctx.Done():
				select {
				case next = <-w.jobs:
				default:
					return
				}
			}
		}
		var batch []*job
		batch, next = w.gather(next)
		w.commit(ctx, batch)
	}
}

// gather adds to the first job what else is queued. Alone it goes at once; several wait for more, half as long as the last
// transaction took, because what a commit costs is mostly its own: pages that all of them touch, and the sync. The last job may have
// to wait for the next transaction.
func (w *writer) gather(first *job) (batch []*job, next *job) {
	batch = append(batch, first)
	var late <-chan time.Time
	for size := first.size; size < together; {
		var j *job
		select {
		case j = <-w.jobs:
		default:
			if len(batch) == 1 {
				return batch, nil
			}
			if late == nil {
				t := time.NewTimer(min(max(w.took/2, company), latest))
				defer t.Stop()
				late = t.C
			}
			select {
			case j = <-w.jobs:
			case <-late:
				return batch, nil
			}
		}
		if j.alone {
			return batch, j
		}
		batch, size = append(batch, j), size+j.size
	}
	return batch, nil
}

func (w *writer) commit(ctx context.Context, batch []*job) {
	if time.Since(w.contended) < time.Second {
		time.Sleep(yield)
	}
	live := batch[:0]
	for _, j := range batch {
		if err := j.ctx.Err(); err != nil {
			j.done <- store.Away(err) // nobody waits any more, and nothing was written
		} else {
			live = append(live, j)
		}
	}
	if len(live) == 0 {
		return
	}
	began := time.Now()
	err := w.transact(ctx, live)
	w.took = time.Since(began)
	size := 0
	for _, j := range live {
		size += j.size
	}
	w.log.count(size)
	for _, j := range live {
		j.done <- err
	}
}

func (w *writer) transact(ctx context.Context, batch []*job) error {
	if err := w.begin(ctx); err != nil {
		return trouble(fmt.Errorf("sqlite: begin: %w", err))
	}
	for _, j := range batch {
		if err := j.run(w.tx); err != nil {
			_, _ = w.tx.exec(`ROLLBACK`) // SQLite may have done so itself
			return trouble(err)
		}
	}
	if _, err := w.tx.exec(`COMMIT`); err != nil {
		_, _ = w.tx.exec(`ROLLBACK`)
		return trouble(fmt.Errorf("sqlite: commit: %w", err))
	}
	return nil
}

// begin takes the write lock of the file, which another process may hold.
func (w *writer) begin(ctx context.Context) error {
	deadline := time.Now().Add(busyTimeout)
	for {
		_, err := w.tx.exec(`BEGIN IMMEDIATE`)
		if code(err) != busy || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		w.contended = time.Now()
		time.Sleep(yield/8 + rand.N(yield/4))
	}
}

func (t *tx) prepared(text string) (*sql.Stmt, error) {
	if s := t.stmts[text]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(t.ctx, text)
	if err == nil {
		t.stmts[text] = s
	}
	return s, err
}

// exec runs a statement, prepared once.
func (t *tx) exec(text string, args ...any) (int64, error) {
	s, err := t.prepared(text)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
