package mongofake

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Engine keeps documents and answers the commands by which the driver reads and writes them: as much of the query language as the
// driver uses, without plans, limits or concurrency of its own. [Server.Answer] takes its Answer, which runs under a lock.
type Engine struct {
	Indexes
	docs map[string]map[string]bson.M // by collection and id
}

// NewEngine returns one without any collection.
func NewEngine() *Engine { return &Engine{Indexes: Indexes{}, docs: map[string]map[string]bson.M{}} }

// Answer answers a command.
func (e *Engine) Answer(c Command) bson.D {
	name, _ := c.Body.Lookup(c.Name).StringValueOK()
	switch c.Name {
	case "insert":
		return e.insert(name, c.Documents)
	case "update":
		return e.update(name, c.Documents)
	case "delete":
		return e.remove(name, c.Documents)
	case "find":
		return e.find(name, decode(c.Body))
	case "aggregate":
		return e.aggregate(name, decode(c.Body))
	case "create":
		e.Indexes[name] = append(e.Indexes[name], bson.D{{Key: "v", Value: 2}, {Key: "key", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "name", Value: "_id_"}})
		return nil
	}
	return e.Indexes.Answer(c)
}

func decode(raw bson.Raw) (m bson.M) {
	if err := bson.Unmarshal(raw, &m); err != nil {
		panic(err) // it came through the wire
	}
	return m
}

func (e *Engine) insert(name string, docs []bson.Raw) bson.D {
	taken := map[int]int{}
	for i, raw := range docs {
		doc := decode(raw)
		id, _ := doc["_id"].(string)
		if e.docs[name] == nil {
			e.docs[name] = map[string]bson.M{}
		}
		if e.docs[name][id] != nil {
			taken[i] = 11000
			continue
		}
		e.docs[name][id] = doc
	}
	if len(taken) > 0 {
		return WriteErrors(taken)
	}
	return written(len(docs))
}

func written(n int) bson.D {
	return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: n}, {Key: "nModified", Value: n}}
}

// update replaces the document that matches.
func (e *Engine) update(name string, writes []bson.Raw) bson.D {
	n := 0
	for _, raw := range writes {
		w := decode(raw)
		for _, doc := range e.matching(name, w["q"].(bson.D)) {
			id, _ := doc["_id"].(string)
			e.docs[name][id] = decode(raw.Lookup("u").Document())
			n++
		}
	}
	return written(n)
}

func (e *Engine) remove(name string, writes []bson.Raw) bson.D {
	n := 0
	for _, raw := range writes {
		for _, doc := range e.matching(name, decode(raw)["q"].(bson.D)) {
			id, _ := doc["_id"].(string)
			delete(e.docs[name], id)
			n++
		}
	}
	return written(n)
}

func (e *Engine) find(name string, q bson.M) bson.D {
	if hint, ok := q["hint"].(string); ok && !e.has(name, hint) {
		return Refused(2, "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index")
	}
	filter, _ := q["filter"].(bson.D)
	docs := e.matching(name, filter)
	if by, ok := q["sort"].(bson.D); ok {
		slices.SortStableFunc(docs, func(a, b bson.M) int { return compareBy(by, a, b) })
	}
	if limit, ok := whole(q["limit"]); ok && limit > 0 {
		docs = docs[:min(len(docs), int(limit))]
	}
	out := make([]any, len(docs))
	for i, d := range docs {
		out[i] = d
		if fields, ok := q["projection"].(bson.D); ok {
			out[i] = project(d, fields)
		}
	}
	return Documents(0, out...)
}

func (e *Engine) has(name, index string) bool {
	return slices.ContainsFunc(e.Indexes[name], func(v any) bool {
		raw, err := bson.Marshal(v)
		if err != nil {
			return false
		}
		text, _ := bson.Raw(raw).Lookup("name").StringValueOK()
		return text == index
	})
}

func project(d bson.M, fields bson.D) bson.M {
	out := bson.M{"_id": d["_id"]}
	for _, f := range fields {
		if v, ok := d[f.Key]; ok {
			out[f.Key] = v
		}
	}
	return out
}

// aggregate counts, which is all that the driver asks for in this way.
func (e *Engine) aggregate(name string, q bson.M) bson.D {
	stages, _ := q["pipeline"].(bson.A)
	var docs []bson.M
	for _, s := range stages {
		switch stage := s.(bson.D)[0]; stage.Key {
		case "$match":
			docs = e.matching(name, stage.Value.(bson.D))
		case "$limit":
			limit, _ := whole(stage.Value)
			docs = docs[:min(len(docs), int(limit))]
		case "$group":
			if len(docs) == 0 {
				return Documents(0)
			}
			return Documents(0, bson.D{{Key: "_id", Value: 1}, {Key: "n", Value: int32(len(docs))}}) //nolint:gosec // few
		default:
			panic("no such stage: " + stage.Key)
		}
	}
	return Documents(0)
}

func (e *Engine) matching(name string, filter bson.D) (out []bson.M) {
	for _, id := range slices.Sorted(maps.Keys(e.docs[name])) {
		if doc := e.docs[name][id]; matches(doc, filter) {
			out = append(out, doc)
		}
	}
	return out
}

func matches(doc bson.M, filter bson.D) bool {
	for _, cond := range filter {
		switch cond.Key {
		case "$and":
			if slices.ContainsFunc(cond.Value.(bson.A), func(f any) bool { return !matches(doc, f.(bson.D)) }) {
				return false
			}
		case "$or":
			if !slices.ContainsFunc(cond.Value.(bson.A), func(f any) bool { return matches(doc, f.(bson.D)) }) {
				return false
			}
		default:
			if !field(lookup(doc, cond.Key), cond.Value) {
				return false
			}
		}
	}
	return true
}

func lookup(doc any, path string) any {
	first, rest, deeper := strings.Cut(path, ".")
	var v any
	switch d := doc.(type) {
	case bson.M:
		v = d[first]
	case bson.D:
		for _, e := range d {
			if e.Key == first {
				v = e.Value
			}
		}
	}
	if deeper {
		return lookup(v, rest)
	}
	return v
}

// field reports whether a value, or an element of it, is as asked for.
func field(v, want any) bool {
	ops, ok := want.(bson.D)
	if !ok || len(ops) == 0 || !strings.HasPrefix(ops[0].Key, "$") {
		return any1(v, func(x any) bool { return order(x, want) == 0 && same(x, want) })
	}
	for _, op := range ops {
		if !operator(v, op) {
			return false
		}
	}
	return true
}

func operator(v any, op bson.E) bool {
	switch op.Key {
	case "$in":
		return slices.ContainsFunc(op.Value.(bson.A), func(w any) bool { return field(v, w) })
	case "$ne":
		return !field(v, op.Value)
	case "$not":
		return !field(v, op.Value)
	case "$exists":
		return (v != nil) == op.Value
	case "$lt":
		return any1(v, func(x any) bool { return same(x, op.Value) && order(x, op.Value) < 0 })
	case "$lte":
		return any1(v, func(x any) bool { return same(x, op.Value) && order(x, op.Value) <= 0 })
	case "$gt":
		return any1(v, func(x any) bool { return same(x, op.Value) && order(x, op.Value) > 0 })
	case "$gte":
		return any1(v, func(x any) bool { return same(x, op.Value) && order(x, op.Value) >= 0 })
	}
	panic("no such operator: " + op.Key)
}

func any1(v any, ok func(any) bool) bool {
	if list, is := v.(bson.A); is {
		return slices.ContainsFunc(list, ok)
	}
	return ok(v)
}

func compareBy(by bson.D, a, b bson.M) int {
	for _, k := range by {
		dir, _ := whole(k.Value)
		if d := order(lookup(a, k.Key), lookup(b, k.Key)); d != 0 {
			return d * int(dir)
		}
	}
	return 0
}

// same reports whether two values are of types that are compared with each other.
func same(a, b any) bool { return rank(a) == rank(b) }

func rank(v any) int {
	if _, ok := number(v); ok {
		return 1
	}
	switch v.(type) {
	case nil:
		return 0
	case string:
		return 2
	case bool:
		return 3
	case bson.DateTime, time.Time:
		return 4
	}
	return 5
}

// order compares values as indexes do: those that are not there first, then numbers, texts, truths and times.
func order(a, b any) int {
	if d := cmp.Compare(rank(a), rank(b)); d != 0 {
		return d
	}
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string))
	case bool:
		return strings.Compare(fmt.Sprint(x), fmt.Sprint(b))
	case bson.DateTime:
		return cmp.Compare(x, b.(bson.DateTime))
	}
	if x, ok := number(a); ok {
		y, _ := number(b)
		return cmp.Compare(x, y)
	}
	x, _ := bson.Marshal(bson.D{{Key: "v", Value: a}})
	y, _ := bson.Marshal(bson.D{{Key: "v", Value: b}})
	return bytes.Compare(x, y)
}

func number(v any) (float64, bool) {
	if i, ok := whole(v); ok {
		return float64(i), true
	}
	f, ok := v.(float64)
	return f, ok
}

func whole(v any) (int64, bool) {
	switch n := v.(type) {
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case int:
		return int64(n), true
	}
	return 0, false
}
