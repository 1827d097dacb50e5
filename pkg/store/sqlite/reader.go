package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tributaryhq/tributary/pkg/store"
)

const readTogether = 64 // reads in one transaction

// reader runs small reads of many callers in one transaction: what a read costs is mostly its own locks and its own context.
// Its rows are what was committed when the transaction began, which is after every caller in it came.
type reader struct {
	tx   *tx
	jobs <-chan *reading
}

// reading is one statement of one caller.
type reading struct {
	statement
	keys int
	rows []store.Row
	err  error
	done chan struct{}
}

func newReader(ctx context.Context, db *sql.DB, jobs <-chan *reading) (*reader, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Every commit makes SQLite drop the page cache of those who read, page by page: a large one is only more to drop.
	if _, err := conn.ExecContext(ctx, `PRAGMA cache_size = -1024`); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &reader{tx: &tx{ctx: context.WithoutCancel(ctx), conn: conn, stmts: map[string]*sql.Stmt{}}, jobs: jobs}, nil
}

// run reads until ctx ends.
func (r *reader) run(ctx context.Context) {
	defer r.tx.conn.Close() //nolint:errcheck // nothing was written
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-r.jobs:
			r.serve(r.gather(first))
		}
	}
}

func (r *reader) gather(first *reading) []*reading {
	batch := []*reading{first}
	for len(batch) < readTogether {
		select {
		case j := <-r.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (r *reader) serve(batch []*reading) {
	var err error
	if len(batch) > 1 {
		_, err = r.tx.exec(`BEGIN`)
	}
	for _, j := range batch {
		if j.err = err; err == nil {
			j.rows, j.err = r.tx.query(j.statement, j.keys)
		}
	}
	if len(batch) > 1 && err == nil {
		if _, failed := r.tx.exec(`COMMIT`); failed != nil {
			_, _ = r.tx.exec(`ROLLBACK`) // whatever it was, the next transaction begins anew
		}
	}
	for _, j := range batch {
		close(j.done)
	}
}

// query runs a statement, prepared once, whose rows are id, rev, doc and the values of so many order fields.
func (t *tx) query(st statement, keys int) ([]store.Row, error) {
	s, err := t.prepared(st.text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, st.args...)
	if err != nil {
		return nil, err
	}
	return scanRows(rows, keys)
}

// fetch reads the rows of a statement: id, rev, doc and the values of so many order fields. Small reads go together.
func (db *DB) fetch(ctx context.Context, st statement, keys int, small bool) ([]store.Row, error) {
	if err := ctx.Err(); err != nil { // the reader may be as ready as the end of ctx is
		return nil, err
	}
	if !small {
		return db.alone(ctx, st, keys)
	}
	j := &reading{statement: st, keys: keys, done: make(chan struct{})}
	select {
	case db.reads <- j:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-db.closed.Done():
		return nil, store.Away(errClosed)
	}
	select {
	case <-j.done:
		return j.rows, j.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-db.closed.Done():
		return nil, store.Away(errClosed)
	}
}

// alone reads on a connection of its own, so that small reads need not wait for it.
func (db *DB) alone(ctx context.Context, st statement, keys int) ([]store.Row, error) {
	s, err := db.prepared(ctx, st.text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, st.args...)
	if err != nil {
		return nil, err
	}
	return scanRows(rows, keys)
}

func scanRows(rows *sql.Rows, keys int) (out []store.Row, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := scanRow(rows, keys)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}
