package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Connections is where channel services say whether a channel's own connection to its provider works: a session, a mailbox, a poll.
// Channels that only have webhooks and calls have none. The service of the channel's type writes it, under the lease of the connection.
var Connections = store.Spec{Name: "connections", Expires: true}

// The states of a connection.
const (
	Connected = "connected" // the provider has accepted us
	Failing   = "failing"   // it could not be opened, or has broken; it is tried again at NextAt
	Unheard   = "unheard"   // it was connected, and the process that held it has not said so for a while
)

// How long what is known of a connection holds.
const (
	ConnectionSeen = time.Minute        // how often a process says that a connection still works
	ConnectionKept = 7 * 24 * time.Hour // how long that is kept after the last time
	unheardAfter   = 3 * ConnectionSeen
)

// Connection is the state of a channel's connection, the document of [Connections]; its id is the channel's.
type Connection struct {
	store.Meta
	State   string       `json:"state"`
	Since   event.Time   `json:"since"`
	Tries   int          `json:"tries,omitempty"`  // failures in a row
	NextAt  event.Time   `json:"next_at,omitzero"` // of a failing one: it is tried again then
	Error   *event.Error `json:"error,omitempty"`  // of a failing one: why
	Version int64        `json:"version"`          // of the channel that it was opened for
	SeenAt  event.Time   `json:"seen_at"`          // when this was last known to be so
}

// Connection returns the state of a channel's connection at a time; nil if it has none.
func (d *Directory) Connection(ctx context.Context, tenant, channelID string) (*Connection, error) {
	c, err := store.NewCollection[Connection](d.db, Connections).Get(ctx, channelID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && c.Tenant != tenant:
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, fmt.Errorf("connection of channel %s: %w", channelID, err)
	}
	if c.State == Connected && d.now().Sub(c.SeenAt.Time) > unheardAfter {
		c.State = Unheard
	}
	return c, nil
}
