package inbox_test

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/bus"
)

// trimmed is a bus that has kept nothing of what was on it.
type trimmed struct{ bus.Bus }

func (b trimmed) ReadFrom(ctx context.Context, topic string, partition int, offset int64, limit int) ([]bus.Message, error) {
	ends, err := b.Ends(ctx, topic)
	if err != nil || offset < ends[partition] {
		return nil, bus.ErrTrimmed
	}
	return b.Bus.ReadFrom(ctx, topic, partition, offset, limit)
}
