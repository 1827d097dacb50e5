// Package observed wraps a store so that OpenTelemetry hears of every call: its operation, its collection and how long it took, and
// nothing of what was read or written, nor whose it is.
package observed

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/telemetry/dbcall"
)

// DB is a store whose calls are told.
type DB struct {
	store.DB
	client *dbcall.Client
}

// New wraps db, a store of the named system.
func New(db store.DB, system string) *DB { return &DB{DB: db, client: dbcall.New(system)} }

// failure is the kind of what went wrong; an answer that somebody may expect, such as a document that is not there, is none.
func failure(errs ...error) string {
	for _, err := range errs {
		if err == nil {
			continue
		}
		switch kind := fault.KindOf(store.Fault(err)); kind {
		case fault.Gone, fault.Conflict:
		default:
			return kind.String()
		}
	}
	return ""
}

// Get implements store.DB.
func (d *DB) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	ctx, call := d.client.Begin(ctx, "get", collection)
	docs, err := d.DB.Get(ctx, collection, ids...)
	call.End(len(ids), failure(err))
	return docs, err
}

// Batch implements store.DB. The collection is that of the first write.
func (d *DB) Batch(ctx context.Context, ops []store.Op) []error {
	collection := ""
	if len(ops) > 0 {
		collection = ops[0].Collection
	}
	ctx, call := d.client.Begin(ctx, "write", collection)
	errs := d.DB.Batch(ctx, ops)
	call.End(len(ops), failure(errs...))
	return errs
}

// Query implements store.DB.
func (d *DB) Query(ctx context.Context, collection string, q store.Query) (store.Page, error) {
	ctx, call := d.client.Begin(ctx, "query", collection)
	page, err := d.DB.Query(ctx, collection, q)
	call.End(1, failure(err))
	return page, err
}

// Count implements store.DB.
func (d *DB) Count(ctx context.Context, collection string, q store.Query, limit int) (int, error) {
	ctx, call := d.client.Begin(ctx, "count", collection)
	n, err := d.DB.Count(ctx, collection, q, limit)
	call.End(1, failure(err))
	return n, err
}

// Search implements store.DB.
func (d *DB) Search(ctx context.Context, collection string, q store.SearchQuery) (store.Page, error) {
	ctx, call := d.client.Begin(ctx, "search", collection)
	page, err := d.DB.Search(ctx, collection, q)
	call.End(1, failure(err))
	return page, err
}

// Walk implements store.DB.
func (d *DB) Walk(ctx context.Context, collection string, w store.Walk) (store.Walked, error) {
	ctx, call := d.client.Begin(ctx, "walk", collection)
	walked, err := d.DB.Walk(ctx, collection, w)
	call.End(1, failure(err))
	return walked, err
}

// CountLists implements store.DB.
func (d *DB) CountLists(ctx context.Context, collection, tenant string, lists []string, limit int) (int, error) {
	ctx, call := d.client.Begin(ctx, "count", collection)
	n, err := d.DB.CountLists(ctx, collection, tenant, lists, limit)
	call.End(1, failure(err))
	return n, err
}
