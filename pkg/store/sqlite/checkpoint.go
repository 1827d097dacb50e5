package sqlite

import "context"

// checkpointEvery is after how many writes what the log holds is moved into the database: a few thousand pages, a fifth of what
// SQLite's own checkpoint waits for, which then finds little left.
const checkpointEvery = 800

// checkpointer moves the log into the database while others write. Left to SQLite alone, the commit that finds the log long does
// so itself, and everybody waits for it: 20 to 50 ms, once a second under load.
type checkpointer struct {
	written int // since the last one; the writer's
	due     chan struct{}
}

func newCheckpointer() *checkpointer { return &checkpointer{due: make(chan struct{}, 1)} }

// count adds writes that are committed.
func (c *checkpointer) count(n int) {
	if c.written += n; c.written < checkpointEvery {
		return
	}
	c.written = 0
	select {
	case c.due <- struct{}{}:
	default: // one is under way
	}
}

// checkpoint works until ctx ends. A passive checkpoint waits for nobody and stops nobody; what it has to leave, and what fails, is
// for the next one, or for SQLite's own.
func (db *DB) checkpoint(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-db.writer.log.due:
			_, _ = db.read.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
		}
	}
}
