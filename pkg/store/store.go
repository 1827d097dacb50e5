// Package store keeps typed documents, one commit per document.
//
// A service owns its collections and writes its repositories once, on [Collection]; the drivers (packages sqlite and
// mongo) implement [DB] and pass the suite in storetest. Only single documents are atomic. The only uniqueness is the
// id, into which tenant and natural key are folded; a second unique key is a claim document. No query runs without a
// declared index.
//
// Facts: an update may append events to the document's pending list in the same compare-and-set. After the commit they
// are applied from the head of the list: the records they imply are inserted, they are published in order, and what was
// published is taken out again; a sweeper does the same for processes that died (docs/models/facts.pml).
package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Errors of a DB. When the store is away or slow, or the context ends, drivers return an error of kind
// fault.Unavailable; what is left unclassified is our own mistake. [Fault] classifies these.
var (
	ErrNotFound = errors.New("store: no such document")
	ErrExists   = errors.New("store: the id is taken")
	ErrConflict = errors.New("store: the document was changed by another")
	ErrNoIndex  = errors.New("store: the query has no declared index")
	ErrCursor   = errors.New("store: the cursor is not one of ours")
	ErrMissing  = errors.New("store: indexes are missing")
	ErrTooLarge = errors.New("store: the document is larger than the store takes")
)

// DB is what a driver offers: documents as JSON, by id and by declared index. Every call honours its context.
type DB interface {
	// Ensure creates what the collections need (tables, indexes, expiry). It is idempotent and safe to run
	// concurrently.
	Ensure(ctx context.Context, cs ...Spec) error
	// Require makes the collections known to this process. An embedded engine creates what they need; a driver of a
	// server creates nothing and returns ErrMissing with the names of the indexes that are not there.
	Require(ctx context.Context, cs ...Spec) error
	// Get returns the documents with these ids, in the order of ids; a missing one is the zero Raw. Reads see every
	// acknowledged write (primary, majority).
	Get(ctx context.Context, collection string, ids ...string) ([]Raw, error)
	// Batch makes the writes, each atomic by itself, and reports one error per op: nil, ErrExists (insert), ErrConflict
	// (compare-and-set or delete at a rev that is gone; also when the document is gone) or the store's trouble, after
	// which the write may or may not have been made. Concurrent batches are committed together where the engine can do
	// so.
	Batch(ctx context.Context, ops []Op) []error
	// Query returns a page of q, ErrNoIndex if no declared index serves it.
	Query(ctx context.Context, collection string, q Query) (Page, error)
	// Count counts at most limit documents of q (without order and cursor).
	Count(ctx context.Context, collection string, q Query, limit int) (int, error)
	// Search returns documents whose words contain all of q's words (the last one as a prefix), newest first by the
	// collection's Search.Order, within the equality conditions.
	Search(ctx context.Context, collection string, q SearchQuery) (Page, error)
	// Walk returns documents along the lists of the collection, ErrCursor if the place is not one of the driver's.
	Walk(ctx context.Context, collection string, w Walk) (Walked, error)
	// CountLists counts the documents that are in any of the lists, each once, to limit.
	CountLists(ctx context.Context, collection, tenant string, lists []string, limit int) (int, error)
	Ping(ctx context.Context) error
	Close() error
}

// Spec declares a collection.
type Spec struct {
	Name    string
	Indexes []Index
	Expires bool        // documents carry expires_at and go away some time after it
	Facts   bool        // documents carry pending facts; adds the index over pending_since
	Search  *SearchSpec // nil: not searchable
	Lists   *Lists      // nil: documents stand in no lists; adds the index over lists_version
	// Superseded are names of indexes that earlier versions declared and this one does not use.
	Superseded []string
}

// Index serves queries with equality on its first fields and, optionally, one range and the order on the next. The id
// is always its last part. Fields are dotted paths into the JSON document. A field that holds an array of texts or
// numbers is declared with [] behind it ("tags[]", at most one per index, never the one that orders) and asked for
// without: each element is indexed, a document without any is not in it. With Sparse, only documents that have the last
// field are in it, and it serves only queries that name that field; Has does the same with another of Fields. Documents
// without a field come before all others.
type Index struct {
	Name   string
	Fields []string
	Sparse bool
	Has    string
}

// SearchSpec declares what of a collection is searchable: the document's own field words (an array of tokens, see
// [Words]) within equality on Fields, newest first by Order (a time or number field that every document has). A search
// must name the first of Fields (the tenant) and may name the others.
type SearchSpec struct {
	Fields []string
	Order  string
}

// Raw is a stored document.
type Raw struct {
	ID   string
	Rev  int64 // never repeats for an id, even if the document is deleted and inserted again
	JSON json.RawMessage
}

// Op is one write of a batch.
type Op struct {
	Kind       OpKind
	Collection string
	ID         string
	Rev        int64           // Replace, Delete: the rev that was read; 0 for Delete: whatever it is, also none at all
	JSON       json.RawMessage // Insert, Replace
	Was        json.RawMessage // Replace: the document at Rev, if the caller has it; then a driver may write only what differs
	// NewRev is where the driver puts the rev that the document has after a successful Insert or Replace.
	NewRev *int64
}

// OpKind is the kind of a write.
type OpKind uint8

// The kinds of writes.
const (
	Insert OpKind = iota + 1
	Replace
	Delete
)

// Query asks for a page of one collection.
type Query struct {
	Where  []Eq   // equality prefix
	Range  *Range // one range, on the field behind the prefix; also the order
	Desc   bool   // newest first; the order is the index's fields behind Where, then id
	Order  string // the field that orders, if there is no Range
	Limit  int    // 1–1000; 0 means 25
	Cursor string // from Page.Next or Page.Prev
}

// Eq is an equality condition. A nil Value matches documents without the field.
type Eq struct {
	Field string
	Value any // string, bool, int64, nil
}

// Range bounds a field. Zero bounds are open.
type Range struct {
	Field    string
	From, To any  // string (times in event.Layout), int64
	FromExcl bool // > instead of >=
	ToIncl   bool // <= instead of <
}

// SearchQuery asks for documents that contain words.
type SearchQuery struct {
	Text   string
	Where  []Eq
	Limit  int
	Cursor string
}

// Page is a part of a list. Cursors survive inserts and deletions: no document that stays is shown twice or skipped.
type Page struct {
	Docs       []Raw
	Next, Prev string // empty: no more in that direction
}

// Meta is the header that every document embeds.
type Meta struct {
	ID           string     `json:"_id"`
	Tenant       string     `json:"tenant"`
	ExpiresAt    event.Time `json:"expires_at,omitzero"`
	FactSeq      int64      `json:"fact_seq,omitempty"`      // the last fact's number; numbered without a gap, from the clock's microseconds on
	Pending      []Fact     `json:"pending,omitempty"`       // committed, and not known to be published by all
	PendingSince event.Time `json:"pending_since,omitzero"`  // when the first of Pending became the first
	In           []string   `json:"in,omitempty"`            // the lists that the document is in, if the collection has lists
	ListsVersion int        `json:"lists_version,omitempty"` // of what named them

	rev   int64
	facts []Fact
}

// Rev is the revision that was read or written; zero before the first insert.
func (m *Meta) Rev() int64 { return m.rev }

// meta lets Collection reach the embedded header.
func (m *Meta) meta() *Meta { return m }

// Fact is a published consequence of a change.
type Fact struct {
	Seq   int64       `json:"seq"` // within the document
	Topic string      `json:"topic"`
	Key   string      `json:"key"`
	Event event.Event `json:"event"`
	Trace string      `json:"trace,omitempty"` // the span that it was committed in, as a traceparent
}

// Emit appends a fact to the document, to be committed with the change under way. Call it only inside an Update or on a
// document about to be inserted.
func (m *Meta) Emit(topic, key string, e event.Event) {
	m.facts = append(m.facts, Fact{Topic: topic, Key: key, Event: e})
}

// EmitWithin is Emit for a fact that belongs to the trace of an earlier span, a traceparent, whatever brings it about now. An empty one
// is the span under way.
func (m *Meta) EmitWithin(span, topic, key string, e event.Event) {
	m.facts = append(m.facts, Fact{Topic: topic, Key: key, Event: e, Trace: span})
}

// Publisher is where facts go; bus.Producer is one. It returns when all records are acknowledged (acks=all), in order
// per key. A call that fails may have written, of each topic and key, the first few of its records.
type Publisher interface {
	Publish(ctx context.Context, recs ...event.Record) error
}

// Document is implemented by a pointer to a struct that embeds Meta.
type Document[T any] interface {
	*T
	meta() *Meta
}

// Default bounds.
const (
	DefaultLimit = 25
	MaxLimit     = 1000
	SweepAge     = 10 * time.Second // pending facts older than this are applied by whoever sweeps
)

// PendingIndex is the index that [Spec.Declared] adds for the sweeper.
const PendingIndex = "pending_since"

// Declared returns all indexes of the collection, those of the sweeper and of [Collection.Relist] included.
func (s Spec) Declared() []Index {
	all := s.Indexes[:len(s.Indexes):len(s.Indexes)]
	if s.Facts {
		all = append(all, Index{Name: PendingIndex, Fields: []string{"pending_since"}, Sparse: true})
	}
	if s.Lists != nil {
		all = append(all, Index{Name: VersionIndex, Fields: []string{VersionField}})
	}
	return all
}

// PageSize is the limit of a query within its bounds.
func PageSize(limit int) int {
	if limit <= 0 {
		return DefaultLimit
	}
	return min(limit, MaxLimit)
}
