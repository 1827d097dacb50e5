package inbox_test

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/bus"
)

// trimmed is a bus whose log begins where it ends.
type trimmed struct{ bus.Bus }

func (trimmed) ReadFrom(context.Context, string, int, int64, int) ([]bus.Message, error) {
	return nil, bus.ErrTrimmed
}
