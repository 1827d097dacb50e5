package httpapi

import (
	"errors"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// The bounds of a list's page.
const (
	DefaultLimit = 25
	MaxLimit     = 200
)

// List is a page of things.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
	PrevCursor *string `json:"prev_cursor"`
	HasMore    bool    `json:"has_more"`
}

// NewList makes a page; empty cursors become null.
func NewList[T any](data []T, next, prev string) List[T] {
	if data == nil {
		data = []T{}
	}
	l := List[T]{Data: data, HasMore: next != ""}
	if next != "" {
		l.NextCursor = &next
	}
	if prev != "" {
		l.PrevCursor = &prev
	}
	return l
}

// Limit reads ?limit: 1–200, default 25.
func Limit(c *gin.Context) (int, error) {
	s := c.Query("limit")
	if s == "" {
		return DefaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > MaxLimit {
		return 0, fault.At("/limit", "out_of_range", "limit must be a whole number from 1 to %d", MaxLimit)
	}
	return n, nil
}

// Named is the fault of a field that names what is not there; any other trouble with finding it stays what it is.
func Named(err error, pointer, what, id string) error {
	if fault.Is(StoreError(err), fault.Gone) {
		return fault.At(pointer, "bad_value", "there is no %s %s", what, id)
	}
	return err
}

// StoreError classifies what a collection returned.
func StoreError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.Gone, "not_found", "there is no such thing")
	case errors.Is(err, store.ErrCursor):
		return fault.At("/cursor", "bad_cursor", "the cursor is not one of this list")
	case fault.KindOf(err) != fault.Internal:
		return err
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
}
