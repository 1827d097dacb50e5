package redo

import (
	"context"
	"errors"
	"fmt"
)

// lostSync is a sync that failed. The kernel may have dropped what it could not write, so a later sync that succeeds
// proves nothing.
type lostSync struct{ error }

func (e lostSync) Unwrap() error { return e.error }

func (l *Log) syncFile(path string) error {
	if err := l.disk.File(path); err != nil {
		return lostSync{err}
	}
	return nil
}

// fail tells why something was not written. A sync that failed is the end.
func (l *Log) fail(err error) {
	if _, lost := errors.AsType[lostSync](err); lost {
		err = l.end(err)
	}
	l.quiet.Do(func() {
		l.log.Error("the broker acknowledges nothing: its redo log cannot be written", "folder", l.dir, "error", err)
	})
}

// end has the log acknowledge nothing any more, and returns why.
func (l *Log) end(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = fmt.Errorf("the disk could not be synced, so nothing is acknowledged until a restart: %w", err)
		close(l.failed)
	}
	return l.broken
}

// Failed returns why the log can acknowledge nothing until a restart, as soon as that is so; nil if ctx ends first.
func (l *Log) Failed(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.failed:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.broken
	}
}
