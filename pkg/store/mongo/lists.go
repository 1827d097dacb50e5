package mongo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tidwall/gjson"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// listsIndexes are those of lists, one for each order. MongoDB merges the parts of a union along one without a sort, up to 200 of them.
func listsIndexes(l *store.Lists) (all []index) {
	for i, order := range l.Orders {
		ix := index{name: listsIndex(order), keys: bson.D{
			{Key: "tenant", Value: 1}, {Key: store.ListsField, Value: 1}, {Key: order, Value: -1}, {Key: fieldID, Value: -1},
		}}
		if i > 0 { // not every document has a time there
			ix.filter = order
		}
		all = append(all, ix)
	}
	return all
}

func listsIndex(order string) string { return "_lists_" + order }

// Walk implements store.DB. Where other groups have to be looked at, only what the documents are in is read first.
func (db *DB) Walk(ctx context.Context, name string, w store.Walk) (store.Walked, error) {
	c, err := db.withLists(name)
	if err != nil {
		return store.Walked{}, err
	}
	if w.From != nil {
		if _, err := time.Parse(event.Layout, w.From.At); err != nil {
			return store.Walked{}, store.ErrCursor
		}
	}
	if len(w.Groups) == 1 {
		return c.walkOne(ctx, w)
	}
	lead, err := db.leads.Lead(ctx, w, name, func(ctx context.Context, list string, limit int) (int, error) {
		return db.CountLists(ctx, name, w.Tenant, []string{list}, limit)
	})
	if err != nil {
		return store.Walked{}, err
	}
	return c.walkAll(ctx, w, lead)
}

func (db *DB) withLists(name string) (*collection, error) {
	c, err := db.collection(name)
	if err == nil && c.spec.Lists == nil {
		err = fmt.Errorf("%w: %s has no lists", store.ErrNoIndex, name)
	}
	return c, err
}

// walkOne walks along a group that stands alone: all that is found is wanted.
func (c *collection) walkOne(ctx context.Context, w store.Walk) (walked store.Walked, err error) {
	n := min(w.Limit, w.Look)
	if len(w.Groups[0]) == 0 {
		return walked, nil
	}
	rows, err := c.fetch(ctx, c.along(w, 0), c.inOrder(w), n, []string{w.Order})
	if err != nil {
		return walked, err
	}
	for _, r := range rows {
		walked.Rows = append(walked.Rows, store.ListRow{Raw: r.Raw, Place: placeOf(r)})
	}
	walked.Looked = len(rows)
	if len(rows) == n {
		walked.End = &walked.Rows[n-1].Place
	}
	return walked, nil
}

// lookAtOnce is how many entries are read at a time where other groups have to be looked at.
const lookAtOnce = 500

// walkAll walks along the group that leads, looks whether what it finds is in the others, and then reads the documents.
func (c *collection) walkAll(ctx context.Context, w store.Walk, lead int) (walked store.Walked, err error) {
	if len(w.Groups[lead]) == 0 {
		return walked, nil
	}
	fields := bson.D{{Key: store.ListsField, Value: 1}, {Key: w.Order, Value: 1}}
	var found []store.Place
	for walked.Looked < w.Look && len(found) < w.Limit {
		n := min(lookAtOnce, w.Look-walked.Looked)
		rows, err := c.fetch(ctx, c.along(w, lead), c.inOrder(w).SetProjection(fields), n, []string{w.Order})
		if err != nil {
			return walked, err
		}
		for _, r := range rows {
			at := placeOf(r)
			w.From, walked.End = &at, &at
			walked.Looked++
			if inAll(w.Groups, gjson.GetBytes(r.JSON, store.ListsField).Array()) {
				found = append(found, at)
			}
			if len(found) == w.Limit {
				break
			}
		}
		if len(rows) < n && len(found) < w.Limit {
			walked.End = nil
			break
		}
	}
	walked.Rows, err = c.atPlaces(ctx, found)
	return walked, err
}

// atPlaces reads documents in their order; those that are gone since are left out.
func (c *collection) atPlaces(ctx context.Context, places []store.Place) (out []store.ListRow, err error) {
	if len(places) == 0 {
		return nil, nil
	}
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.Tie
	}
	cond := bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: ids}}}}
	rows, err := c.fetch(ctx, bson.A{cond}, options.Find().SetHint(idIndex), len(ids), nil)
	if err != nil {
		return nil, err
	}
	by := make(map[string]store.Raw, len(rows))
	for _, r := range rows {
		by[r.ID] = r.Raw
	}
	for _, p := range places {
		if raw := by[p.Tie]; raw.ID != "" {
			out = append(out, store.ListRow{Raw: raw, Place: p})
		}
	}
	return out, nil
}

func placeOf(r store.Row) store.Place {
	at, _ := r.Keys[0].(string)
	return store.Place{At: at, Tie: r.ID}
}

func inAll(groups [][]string, in []gjson.Result) bool {
	has := make(map[string]bool, len(in))
	for _, v := range in {
		has[v.Str] = true
	}
	for _, g := range groups {
		if !slices.ContainsFunc(g, func(list string) bool { return has[list] }) {
			return false
		}
	}
	return true
}

// along are the conditions of a walk along the lists of a group.
func (c *collection) along(w store.Walk, lead int) bson.A {
	conds := append(c.inLists(w.Tenant, w.Groups[lead]), is(w.Order, exists), is(w.Order, bson.D{{Key: "$ne", Value: nil}}))
	if w.From == nil {
		return conds
	}
	return append(conds, behind(store.Scan{
		Order: []string{w.Order}, Desc: w.Down, At: &store.Position{Keys: []any{w.From.At}, ID: w.From.Tie},
	}, true)...)
}

func (c *collection) inLists(tenant string, lists []string) bson.A {
	return bson.A{is("tenant", tenant), is(store.ListsField, bson.D{{Key: "$in", Value: lists}})}
}

func (c *collection) inOrder(w store.Walk) *options.FindOptionsBuilder {
	return options.Find().SetHint(listsIndex(w.Order)).SetSort(order(store.Scan{Order: []string{w.Order}, Desc: w.Down}))
}

// CountLists implements store.DB.
func (db *DB) CountLists(ctx context.Context, name, tenant string, lists []string, limit int) (int, error) {
	c, err := db.withLists(name)
	if err != nil || len(lists) == 0 {
		return 0, err
	}
	n, err := c.CountDocuments(ctx, all(c.inLists(tenant, lists)), options.Count().SetHint(listsIndex(c.spec.Lists.Orders[0])).SetLimit(int64(limit)))
	if err != nil {
		return 0, trouble(fmt.Errorf("mongo %s: count of lists: %w", name, err))
	}
	return int(n), nil
}
