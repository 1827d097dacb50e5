package mongo

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/store"
)

// behind starts the walk at a position: beyond in the first key, or the same there and beyond in the second, and so on to the
// id. A bound on the first key alone comes with it: that one the index can seek. filled says that every document has the keys.
func behind(s store.Scan, filled bool) bson.A {
	if s.At == nil {
		return nil
	}
	var branches, same bson.A
	for i, field := range s.Order {
		for _, cond := range beyond(field, s.At.Keys[i], s.Descending(), filled) {
			branches = append(branches, all(append(same[:len(same):len(same)], cond)))
		}
		same = append(same, is(field, s.At.Keys[i]))
	}
	op := pick(s.Descending(), "$lt", "$gt") + pick(s.At.Here, "e", "")
	branches = append(branches, all(append(same, is(fieldID, bson.D{{Key: op, Value: s.At.ID}}))))
	conds := bson.A{bson.D{{Key: "$or", Value: branches}}}
	if len(s.Order) > 0 && s.At.Keys[0] != nil {
		wrong := pick(s.Descending(), "$gt", "$lt")
		conds = append(conds, is(s.Order[0], bson.D{{Key: "$not", Value: bson.D{{Key: wrong, Value: s.At.Keys[0]}}}}))
	}
	return conds
}

// beyond matches what lies behind a value. Missing fields come before all others, and comparisons do not see them.
func beyond(field string, v any, desc, filled bool) bson.A {
	switch {
	case desc && v == nil:
		return nil
	case desc && filled:
		return bson.A{is(field, bson.D{{Key: "$lt", Value: v}})}
	case desc:
		return bson.A{is(field, bson.D{{Key: "$lt", Value: v}}), is(field, nil)}
	case v == nil:
		return bson.A{is(field, bson.D{{Key: "$ne", Value: nil}})}
	}
	return bson.A{is(field, bson.D{{Key: "$gt", Value: v}})}
}

func order(s store.Scan) bson.D {
	dir := 1
	if s.Descending() {
		dir = -1
	}
	by := bson.D{}
	for _, f := range s.Order {
		by = append(by, bson.E{Key: f, Value: dir})
	}
	return append(by, bson.E{Key: fieldID, Value: dir})
}

func is(field string, v any) bson.D { return bson.D{{Key: field, Value: v}} }

// all joins conditions.
func all(conds bson.A) bson.D {
	switch len(conds) {
	case 0:
		return bson.D{}
	case 1:
		return conds[0].(bson.D)
	}
	return bson.D{{Key: "$and", Value: conds}}
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}
