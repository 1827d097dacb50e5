package crash

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

type watchedBus struct {
	bus.Bus
	fuse *Fuse
}

// Bus watches what is published and handled.
func (f *Fuse) Bus(b bus.Bus) bus.Bus {
	if f == nil {
		return b
	}
	return &watchedBus{b, f}
}

// Publish implements bus.Producer.
func (b *watchedBus) Publish(ctx context.Context, recs ...event.Record) (err error) {
	topics := make([]string, len(recs))
	for i, r := range recs {
		topics[i] = r.Topic
	}
	b.fuse.around(b.fuse.about(Publish, topics...), func() bool {
		err = b.Bus.Publish(ctx, recs...)
		return err == nil
	})
	return err
}

// Consume implements bus.Bus.
func (b *watchedBus) Consume(ctx context.Context, s bus.Subscription) error {
	if s.Handle != nil {
		s.Handle = b.handler(s.Group, s.Handle)
	}
	if assign := s.Assign; assign != nil {
		s.Assign = func(ctx context.Context, p bus.Assignment) (bus.Handler, func(), error) {
			h, release, err := assign(ctx, p)
			if err != nil {
				return h, release, err
			}
			return b.handler(s.Group, h), release, nil
		}
	}
	return b.Bus.Consume(ctx, s)
}

func (b *watchedBus) handler(group string, h bus.Handler) bus.Handler {
	return func(ctx context.Context, m bus.Message) (err error) {
		b.fuse.around(b.fuse.about(Handle, m.Topic, group), func() bool {
			err = h(ctx, m)
			return err == nil
		})
		return err
	}
}
