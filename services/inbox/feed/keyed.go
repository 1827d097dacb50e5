package feed

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Types knows what channel types announced; directory.Directory is one.
type Types interface {
	Type(ctx context.Context, t event.ChannelType) (channel.Info, error)
}

// Keyed publishes records to be sent by a type with sessions under the key of their channel, and with the recipient as their lane. It
// is asked when a record is published, so that facts that were committed before the type had sessions go where they are looked for.
type Keyed struct {
	bus.Bus
	Types Types
}

// Publish implements bus.Producer.
func (k Keyed) Publish(ctx context.Context, recs ...event.Record) error {
	out := slices.Clone(recs) // the caller may publish its own again
	for n, r := range recs {
		keyed, err := k.keyed(ctx, r)
		if err != nil {
			return err
		}
		if keyed != r.Key {
			out[n].Key, out[n].Lane = keyed, r.Key
		}
	}
	return k.Bus.Publish(ctx, out...)
}

// keyed is the key of a record.
func (k Keyed) keyed(ctx context.Context, r event.Record) (string, error) {
	t, ok := strings.CutPrefix(r.Topic, event.TopicOutbound(""))
	if !ok {
		return r.Key, nil
	}
	info, err := k.Types.Type(ctx, event.ChannelType(t))
	switch {
	case fault.Is(err, fault.Gone): // no service of the type has ever run here: it has no sessions yet
		return r.Key, nil
	case err != nil:
		return "", fmt.Errorf("key of a record for %s: %w", r.Topic, err)
	case !info.Session:
		return r.Key, nil
	}
	id, _, _ := strings.Cut(r.Key, "|") // a channel's id has no bar
	return event.Key(id), nil
}
