package store

import (
	"errors"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Away classifies trouble of the store itself: it is away, slow, full or shutting down, or the caller's time is over. A write
// may have been made or not, so whoever tries again must be ready to find it. For drivers.
func Away(err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "store_unavailable", Err: err}
}

// Fault classifies an error of this package for whoever cannot say it better; others it returns as they are.
func Fault(err error) error {
	kinds := []struct {
		is   error
		kind fault.Kind
		code string
	}{
		{ErrNotFound, fault.Gone, "not_found"},
		{ErrExists, fault.Conflict, "exists"},
		{ErrConflict, fault.Conflict, "changed"},
		{ErrCursor, fault.Invalid, "bad_cursor"},
		{ErrNoIndex, fault.Internal, "no_index"},
		{ErrTooLarge, fault.Invalid, "document_too_large"},
	}
	if classified := new(*fault.Error); errors.As(err, classified) {
		return err
	}
	for _, k := range kinds {
		if errors.Is(err, k.is) {
			return &fault.Error{Kind: k.kind, Code: k.code, Err: err}
		}
	}
	return err
}
