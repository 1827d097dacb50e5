package sqlite

import (
	"context"
	"errors"

	driver "modernc.org/sqlite"

	"github.com/tributaryhq/tributary/pkg/store"
)

// SQLite's primary result codes, https://sqlite.org/rescode.html
const (
	busy       = 5
	plainError = 1
	tooBig     = 18
	constraint = 19
	mismatch   = 20
)

func code(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// trouble classifies what lies with the file, the disk or the caller's time, and leaves what lies with us.
func trouble(err error) error {
	if err == nil || code(err) != 0 && !fatal(err) {
		return err
	}
	if code(err) == 0 && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return store.Away(err)
}

// fatal tells whether an error of one statement means that the transaction cannot be relied on: a full disk, an I/O error, no
// memory. What is wrong with the statement or its values alone leaves its neighbours untouched.
func fatal(err error) bool {
	if errors.Is(err, errTorn) {
		return true
	}
	switch code(err) {
	case 0, plainError, tooBig, constraint, mismatch:
		return false
	}
	return true
}
