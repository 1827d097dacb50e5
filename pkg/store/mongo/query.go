package mongo

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tributaryhq/tributary/pkg/store"
)

// The names of the indexes that are not declared by name.
const (
	idIndex     = "_id_"
	searchIndex = "_search"
)

// Get implements store.DB.
func (db *DB) Get(ctx context.Context, name string, ids ...string) ([]store.Raw, error) {
	c, err := db.collection(name)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	cond := bson.D{{Key: fieldID, Value: ids[0]}}
	if len(ids) > 1 {
		cond = bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: ids}}}}
	}
	opts := options.Find()
	if len(ids) > 1 || c.spec.Expires { // one id alone is found without planning
		opts.SetHint(idIndex)
	}
	rows, err := c.fetch(ctx, append(bson.A{cond}, c.alive()...), opts, len(ids), nil)
	if err != nil {
		return nil, err
	}
	by := make(map[string]store.Raw, len(rows))
	for _, r := range rows {
		by[r.ID] = r.Raw
	}
	raws := make([]store.Raw, len(ids))
	for i, id := range ids {
		raws[i] = by[id]
	}
	return raws, nil
}

// Query implements store.DB. The index is named in the query, so MongoDB fails rather than scan.
func (db *DB) Query(ctx context.Context, name string, q store.Query) (store.Page, error) {
	c, err := db.collection(name)
	if err != nil {
		return store.Page{}, err
	}
	p, err := c.spec.Plan(q)
	if err != nil {
		return store.Page{}, err
	}
	conds := append(c.conditions(p), behind(p.Scan, p.Range != nil)...)
	rows, err := c.fetch(ctx, conds, options.Find().SetHint(hint(p.Index)).SetSort(order(p.Scan)), p.Limit+1, p.Order)
	if err != nil {
		return store.Page{}, err
	}
	return p.Page(rows), nil
}

// Count implements store.DB.
func (db *DB) Count(ctx context.Context, name string, q store.Query, limit int) (int, error) {
	c, err := db.collection(name)
	if err != nil {
		return 0, err
	}
	q.Cursor = ""
	p, err := c.spec.Plan(q)
	if err != nil {
		return 0, err
	}
	n, err := c.CountDocuments(ctx, all(c.conditions(p)), options.Count().SetHint(hint(p.Index)).SetLimit(int64(limit)))
	if err != nil {
		return 0, trouble(fmt.Errorf("mongo %s: count by %s: %w", name, p.Index.Name, err))
	}
	return int(n), nil
}

// Search implements store.DB.
func (db *DB) Search(ctx context.Context, name string, q store.SearchQuery) (store.Page, error) {
	c, err := db.collection(name)
	if err != nil {
		return store.Page{}, err
	}
	terms, where, scan, err := c.spec.PlanSearch(q)
	if err != nil || len(terms) == 0 {
		return store.Page{}, err
	}
	conds := equal(where)
	for _, t := range terms {
		var v any = t.Word
		if t.Prefix {
			v = bson.Regex{Pattern: "^" + regexp.QuoteMeta(t.Word)}
		}
		conds = append(conds, bson.D{{Key: "words", Value: v}})
	}
	conds = append(append(conds, c.alive()...), behind(scan, true)...)
	rows, err := c.fetch(ctx, conds, options.Find().SetHint(searchIndex).SetSort(order(scan)), scan.Limit+1, scan.Order)
	if err != nil {
		return store.Page{}, err
	}
	return scan.Page(rows), nil
}

// fetch returns at most limit documents, in one batch where they have room in it (16 MiB): a batch that is as large as the limit
// may leave a cursor behind.
func (c *collection) fetch(
	ctx context.Context, conds bson.A, opts *options.FindOptionsBuilder, limit int, keys []string,
) ([]store.Row, error) {
	cur, err := c.Find(ctx, all(conds), opts.SetLimit(int64(limit)).SetBatchSize(int32(limit+1))) //nolint:gosec // a page, or ids
	if err != nil {
		return nil, trouble(fmt.Errorf("mongo %s: find: %w", c.spec.Name, err))
	}
	var docs []bson.Raw
	if err := cur.All(ctx, &docs); err != nil {
		return nil, trouble(fmt.Errorf("mongo %s: find: %w", c.spec.Name, err))
	}
	rows := make([]store.Row, len(docs))
	for i, d := range docs {
		if rows[i].Raw, err = fromBSON(d); err != nil {
			return nil, err
		}
		for _, k := range keys {
			rows[i].Keys = append(rows[i].Keys, keyOf(d, strings.Split(k, ".")))
		}
	}
	return rows, nil
}

func hint(ix store.Index) string {
	if len(ix.Fields) == 0 {
		return idIndex
	}
	return ix.Name
}

// conditions are those of a plan without its position.
func (c *collection) conditions(p store.Plan) bson.A {
	conds := equal(p.Where)
	if r := p.Range; r != nil {
		bounds := bson.D{}
		if r.From != nil {
			bounds = append(bounds, bson.E{Key: pick(r.FromExcl, "$gt", "$gte"), Value: r.From})
		}
		if r.To != nil {
			bounds = append(bounds, bson.E{Key: pick(r.ToIncl, "$lte", "$lt"), Value: r.To})
		}
		conds = append(conds, is(p.Order[0], bounds))
	}
	if has := p.Index.Filter(); has != "" {
		conds = append(conds, is(has, exists), is(has, bson.D{{Key: "$ne", Value: nil}}))
	}
	return append(conds, c.alive()...)
}

func equal(where []store.Eq) bson.A {
	conds := bson.A{}
	for _, eq := range where {
		conds = append(conds, is(eq.Field, eq.Value))
	}
	return conds
}
