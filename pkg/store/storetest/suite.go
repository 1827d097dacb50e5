package storetest

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Opener gives a test an empty database of its own, closed when the test ends.
type Opener func(t testing.TB) store.DB

// Run runs the suite that every driver passes, except the promises, which each driver names as its own tests.
func Run(t *testing.T, open Opener) {
	RunLists(t, open)
	for name, check := range map[string]func(*testing.T, store.DB){
		"Insert":               insert,
		"InsertMany":           insertMany,
		"Update":               update,
		"UpdateUnchanged":      unchanged,
		"UpdateKeepsHeader":    keepsHeader,
		"Upsert":               upsert,
		"Recall":               recall,
		"RecallAmongMany":      recallAmongMany,
		"Delete":               remove,
		"GetMany":              multiget,
		"RevNeverRepeats":      revs,
		"Batch":                batch,
		"JSON":                 fidelity,
		"UnknownFields":        unknownFields,
		"Context":              cancelled,
		"EnsureTwice":          ensureTwice,
		"EnsureFills":          ensureFills,
		"NoIndex":              noIndex,
		"BadSpecs":             badSpecs,
		"Pages":                pages,
		"PagesWithMissing":     pagesWithMissing,
		"PagesWhileInserting":  pagesWhileInserting,
		"PagesAfterDeletion":   pagesAfterDeletion,
		"Cursors":              cursors,
		"Ranges":               ranges,
		"Equality":             equality,
		"Sparse":               sparse,
		"Arrays":               arrays,
		"Counts":               counts,
		"Expiry":               expiry,
		"Search":               search,
		"SearchPages":          searchPages,
		"SearchFollowsUpdates": searchFollows,
		"RecordsAreThere":      recordsAreThere,
		"RecordsInOrder":       recordsInOrder,
		"FactsGoTogether":      factsGoTogether,
		"FactsKeepTheirSpan":   factsKeepTheirSpan,
		"CommitWaitsForNobody": commitWaitsForNobody,
		"DeletePublishes":      deletePublishes,
		"RunPublishesAndClear": runPublishesAndClears,
		"Due":                  due,
		"SweepAfterSetBack":    sweepAfterTheClockWasSetBack,
		"SweepLeavesFresh":     sweepLeavesFresh,
		"RunEndsInTime":        runEndsInTime,
		"Resurrected":          resurrected,
		"NoFactsDeclared":      noFactsDeclared,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

// Doc is what the suite stores.
type Doc struct {
	store.Meta
	Name  string     `json:"name,omitempty"`
	Group string     `json:"group,omitempty"`
	N     int64      `json:"n"`
	At    event.Time `json:"at,omitzero"`
	On    bool       `json:"on,omitempty"`
	Tags  []string   `json:"tags,omitempty"`
	Words []string   `json:"words,omitempty"`
	Deep  *Deep      `json:"deep,omitempty"`
}

// Deep is a document within one.
type Deep struct {
	Due int64 `json:"due"`
}

var docs = store.Spec{
	Name: "docs",
	Indexes: []store.Index{
		{Name: "all"},
		{Name: "group_at", Fields: []string{"tenant", "group", "at"}},
		{Name: "n", Fields: []string{"tenant", "n"}},
		{Name: "on_n", Fields: []string{"tenant", "on", "n"}},
		{Name: "tag_n", Fields: []string{"tenant", "tags[]", "n"}},
		{Name: "due", Fields: []string{"deep.due"}, Sparse: true},
	},
	Expires: true,
	Search:  &store.SearchSpec{Fields: []string{"tenant", "group"}, Order: "n"},
}

func open(t testing.TB, db store.DB) *store.Collection[Doc] {
	t.Helper()
	if err := db.Ensure(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	return store.NewCollection[Doc](db, docs)
}

func doc(i int) *Doc {
	return &Doc{Meta: store.Meta{ID: fmt.Sprintf("d%04d", i), Tenant: "acme"}, N: int64(i)}
}

// fill inserts n documents.
func fill(t testing.TB, c *store.Collection[Doc], n int, alter func(i int, d *Doc)) {
	t.Helper()
	all := make([]*Doc, n)
	for i := range all {
		all[i] = doc(i)
		if alter != nil {
			alter(i, all[i])
		}
	}
	for _, err := range c.InsertMany(t.Context(), all...) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func where(pairs ...any) []store.Eq {
	var all []store.Eq
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, store.Eq{Field: pairs[i].(string), Value: pairs[i+1]})
	}
	return all
}

func ids(docs []*Doc) []string {
	all := []string{}
	for _, d := range docs {
		all = append(all, d.ID)
	}
	return all
}
