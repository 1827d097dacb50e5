package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Types is where channel services say what their type can do, so that admin, inbox and routing need not know the adapters.
var Types = store.Spec{Name: "channel_types"}

type channelType struct {
	store.Meta
	Info json.RawMessage `json:"info"`
}

// Announce records what a channel type can do. A channel's service calls it at every start; the newest start wins.
func (d *Directory) Announce(ctx context.Context, info channel.Info) error {
	b, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("channel type %s: %w", info.Type, err)
	}
	types := store.NewCollection[channelType](d.db, Types)
	_, err = types.Upsert(ctx, string(info.Type), func() *channelType { return &channelType{} }, func(t *channelType) error {
		if string(t.Info) == string(b) {
			return store.Unchanged
		}
		t.Info = b
		return nil
	})
	if err != nil {
		return fmt.Errorf("channel type %s: %w", info.Type, err)
	}
	d.types.changed(string(info.Type), 0)
	return nil
}

// Type returns what a channel type can do; Gone if no service of that type has ever started here.
func (d *Directory) Type(ctx context.Context, t event.ChannelType) (channel.Info, error) {
	return d.types.find(ctx, string(t))
}

// Rules returns what a channel can do; Gone if no service of its type has ever started here.
func (d *Directory) Rules(ctx context.Context, ch channel.Channel) (channel.Rules, error) {
	info, err := d.Type(ctx, ch.Type)
	if err != nil {
		return channel.Rules{}, err
	}
	return info.For(ch.Settings), nil
}

// AllTypes returns every type whose service has ever started, in the order of event.ChannelTypes.
func (d *Directory) AllTypes(ctx context.Context) ([]channel.Info, error) {
	var out []channel.Info
	for _, t := range event.ChannelTypes {
		info, err := d.Type(ctx, t)
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

func (d *Directory) loadType(ctx context.Context, id string) (channel.Info, int64, error) {
	t, err := read[channelType](ctx, d.db, Types.Name, id)
	if err != nil {
		return channel.Info{}, 0, err
	}
	var info channel.Info
	if err := json.Unmarshal(t.Info, &info); err != nil {
		return info, 0, fmt.Errorf("channel type %s: %w", id, err)
	}
	return info, 0, nil
}
