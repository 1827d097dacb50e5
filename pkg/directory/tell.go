package directory

import (
	"strconv"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Tell makes it a fact of a configuration entity's own document that it has another version: every replica hears of it once
// that is committed. source is the service that owns the entity.
func Tell(m *store.Meta, source, entity string, version int64, deleted bool, at event.Time) {
	m.Emit(event.TopicConfig, m.ID, event.New(
		event.DeriveID("evt", m.Tenant, m.ID, strconv.FormatInt(version, 10)), event.ConfigChanged, source, m.Tenant, m.ID, at,
		event.Config{Entity: entity, ID: m.ID, Version: version, Deleted: deleted}))
}
