package mongo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	driver "github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/pkg/store/mongo/mongofake"
)

var (
	things = store.Spec{Name: "things", Indexes: []store.Index{{Name: "by_tenant", Fields: []string{"tenant", "n"}}}}
	mortal = store.Spec{Name: "mortal", Expires: true}
	small  = json.RawMessage(`{"tenant":"a","n":2}`)
	dying  = json.RawMessage(`{"tenant":"a","expires_at":"2030-01-01T00:00:00.000Z"}`)
)

func faked(t *testing.T) (*mongofake.Server, store.DB) {
	t.Helper()
	s := mongofake.New(t)
	db, err := driver.Open(t.Context(), s.URI())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Ensure(t.Context(), things, mortal); err != nil {
		t.Fatal(err)
	}
	return s, db
}

func inserts(collection string, docs ...json.RawMessage) []store.Op {
	ops := make([]store.Op, len(docs))
	for i, doc := range docs {
		ops[i] = store.Op{Kind: store.Insert, Collection: collection, ID: fmt.Sprint(i), JSON: doc}
	}
	return ops
}

// Codes of MongoDB's error_codes.yml, and one that no version has.
var (
	awayCodes = []int{
		1, 6, 7, 8, 11, 13, 18, 20, 24, 26, 43, 46, 50, 59, 63, 64, 72, 89, 91, 112, 125, 133, 134, 136, 146, 175, 189, 202, 216, 251, 262,
		279, 290, 292, 314, 317, 327, 334, 371, 391, 462, 8000, 9001, 10003, 10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436, 14031, 16500, 987654,
	}
	ourCodes = []int{2, 9, 14, 15, 22, 52, 56, 57, 66, 85, 86, 121, 171, 10334, 17419, 17420}
)

// TestCodes: only what the same command meets again is an error of ours; the rest passes by itself, so it is worth trying again.
func TestCodes(t *testing.T) {
	t.Parallel()
	for _, code := range append(slices.Clone(awayCodes), ourCodes...) {
		t.Run(fmt.Sprint(code), func(t *testing.T) { // each has a server: after some codes a client waits for an election
			t.Parallel()
			s, db := faked(t)
			want := !slices.Contains(ourCodes, code)
			calls := commands(t, db)
			s.Answer(func(mongofake.Command) bson.D { return mongofake.Refused(code, "refused") })
			for _, name := range slices.Sorted(maps.Keys(calls)) {
				if err := calls[name](); err == nil || fault.Is(err, fault.Unavailable) != want {
					t.Errorf("%s, command fails: %v; away: want %t", name, err, want)
				}
			}
			s.Answer(func(mongofake.Command) bson.D { return mongofake.WriteErrors(map[int]int{0: code, 1: code}) })
			for _, name := range []string{"insert", "replace", "delete"} {
				if err := calls[name](); err == nil || fault.Is(err, fault.Unavailable) != want {
					t.Errorf("%s, write fails: %v; away: want %t", name, err, want)
				}
			}
		})
	}
}

func commands(t *testing.T, db store.DB) map[string]func() error {
	write := func(op store.Op) func() error {
		return func() error { return db.Batch(t.Context(), []store.Op{op})[0] }
	}
	return map[string]func() error{
		"get":     func() error { _, err := db.Get(t.Context(), "things", "1"); return err },
		"count":   func() error { _, err := db.Count(t.Context(), "things", store.Query{Where: tenantA}, 9); return err },
		"query":   func() error { _, err := db.Query(t.Context(), "things", store.Query{Where: tenantA}); return err },
		"insert":  func() error { return db.Batch(t.Context(), inserts("things", small, small))[1] },
		"replace": write(store.Op{Kind: store.Replace, Collection: "things", ID: "1", Rev: 1, JSON: small}),
		"delete":  write(store.Op{Kind: store.Delete, Collection: "things", ID: "1", Rev: 1}),
	}
}

// TestIndexIsNotThere: a query that names an index which is not built yet waits for it.
func TestIndexIsNotThere(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	s.Answer(func(mongofake.Command) bson.D { return mongofake.Refused(2, noIndex) })
	if _, err := db.Query(t.Context(), "things", store.Query{Where: tenantA}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

const noIndex = "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index"

var tenantA = []store.Eq{{Field: "tenant", Value: "a"}}

// TestBulkAnswers: every write of a bulk has an error of its own kind.
func TestBulkAnswers(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	for name, tt := range map[string]struct {
		answer bson.D
		want   []string
	}{
		"all well":                     {mongofake.WriteErrors(nil), []string{"", "", ""}},
		"each its own":                 {mongofake.WriteErrors(map[int]int{0: 11000, 1: 91, 2: 121}), []string{"exists", "away", "ours"}},
		"one of three":                 {mongofake.WriteErrors(map[int]int{1: 13}), []string{"", "away", ""}},
		"unsatisfied":                  {mongofake.Unsatisfied(mongofake.WriteErrors(nil)), []string{"away", "away", "away"}},
		"unsatisfied, taken":           {mongofake.Unsatisfied(mongofake.WriteErrors(map[int]int{0: 11000})), []string{"away", "away", "away"}},
		"unsatisfied, taken, and ours": {mongofake.Unsatisfied(mongofake.WriteErrors(map[int]int{0: 11000, 2: 14})), []string{"away", "away", "ours"}},
		"command":                      {mongofake.Refused(10107, "not primary"), []string{"away", "away", "away"}},
	} {
		s.Answer(func(c mongofake.Command) bson.D { return tt.answer })
		var got []string
		for _, err := range db.Batch(t.Context(), inserts("things", small, small, small)) {
			got = append(got, kind(err))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func kind(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, store.ErrExists):
		return "exists"
	case errors.Is(err, store.ErrConflict):
		return "conflict"
	case errors.Is(err, store.ErrTooLarge):
		return "too large"
	case fault.Is(err, fault.Unavailable):
		return "away"
	}
	return "ours"
}

// TestOneBadDocumentFailsAlone: a bulk that is refused as a whole because of one document is taken apart.
func TestOneBadDocumentFailsAlone(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	s.Answer(func(c mongofake.Command) bson.D {
		if slices.ContainsFunc(c.Documents, func(d bson.Raw) bool { return d.Lookup("_id").StringValue() == "1" }) {
			return mongofake.Refused(2, "a document is not to our taste")
		}
		return nil
	})
	var got []string
	for _, err := range db.Batch(t.Context(), inserts("things", small, small, small)) {
		got = append(got, kind(err))
	}
	if diff := cmp.Diff([]string{"", "ours", ""}, got); diff != "" {
		t.Error(diff)
	}
}

// TestUnsatisfiedWrites: a write that is not known to be kept by a majority has no result.
func TestUnsatisfiedWrites(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	for _, n := range []int{0, 1} {
		s.Answer(func(mongofake.Command) bson.D {
			return mongofake.Unsatisfied(bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: n}})
		})
		for _, op := range []store.Op{
			{Kind: store.Replace, Collection: "things", ID: "1", Rev: 1, JSON: small},
			{Kind: store.Delete, Collection: "things", ID: "1", Rev: 1},
			{Kind: store.Delete, Collection: "things", ID: "1"},
		} {
			if err := db.Batch(t.Context(), []store.Op{op})[0]; !fault.Is(err, fault.Unavailable) {
				t.Errorf("kind %d, %d written: %v", op.Kind, n, err)
			}
		}
	}
}

// TestOverExpired: the id of an expired document is free, also when the document goes away between our two looks.
func TestOverExpired(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	for name, tt := range map[string]struct {
		update bson.D
		want   string
	}{
		"expired": {bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "nModified", Value: 1}}, ""},
		"gone since": {bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "upserted", Value: bson.A{
			bson.D{{Key: "index", Value: 0}, {Key: "_id", Value: "0"}},
		}}}, ""},
		"alive":              {mongofake.WriteErrors(map[int]int{0: 11000}), "exists"},
		"alive, unsatisfied": {mongofake.Unsatisfied(mongofake.WriteErrors(map[int]int{0: 11000})), "away"},
		"away":               {mongofake.Refused(13, "not authorized"), "away"},
	} {
		s.Answer(func(c mongofake.Command) bson.D {
			if c.Name == "insert" {
				return mongofake.WriteErrors(map[int]int{0: 11000})
			}
			return tt.update
		})
		if got := kind(db.Batch(t.Context(), inserts("mortal", dying))[0]); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if up := s.Seen("update"); len(up) != 1 || !up[0].Documents[0].Lookup("upsert").Boolean() {
			t.Errorf("%s: the place is taken by %v", name, up)
		}
	}
}

// TestTooLarge: 17 MB are refused before they are sent, and fail nothing beside them.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	huge := json.RawMessage(`{"tenant":"` + strings.Repeat("x", 17<<20) + `"}`)
	var got []string
	for _, err := range db.Batch(t.Context(), append(inserts("things", small, huge, small),
		store.Op{Kind: store.Replace, Collection: "things", ID: "r", Rev: 1, JSON: huge})) {
		got = append(got, kind(err))
	}
	if diff := cmp.Diff([]string{"", "too large", "", "too large"}, got); diff != "" {
		t.Error(diff)
	}
	if in := s.Seen("insert"); len(in) != 1 || len(in[0].Documents) != 2 || len(s.Seen("update")) != 0 {
		t.Errorf("sent %d bulks, %d replacements", len(in), len(s.Seen("update")))
	}
	if err := store.Fault(db.Batch(t.Context(), inserts("things", huge))[0]); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v: whoever sent it is to be told", err)
	}
}

// TestCursorIsLost: a list whose cursor the deployment has lost is to be asked for again.
func TestCursorIsLost(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	s.Answer(func(c mongofake.Command) bson.D {
		if c.Name != "find" {
			return mongofake.Refused(43, "cursor id 77 not found")
		}
		return mongofake.Documents(77, bson.D{{Key: "_id", Value: "1"}, {Key: "_rev", Value: int64(1)}, {Key: "tenant", Value: "a"}, {Key: "n", Value: int64(1)}})
	})
	if _, err := db.Query(t.Context(), "things", store.Query{Where: tenantA, Limit: 200}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	if len(s.Seen("getMore")) == 0 {
		t.Error("nobody asked for more")
	}
}

// TestWhatIsSent: the size of batches, the index of compare-and-sets, and who we are.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	s.Answer(nil)
	if _, err := db.Query(t.Context(), "things", store.Query{Where: tenantA, Limit: 500}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Get(t.Context(), "things", "1", "2", "3"); err != nil {
		t.Fatal(err)
	}
	find := s.Seen("find")
	if find[0].Number("limit") != 501 || find[0].Number("batchSize") != 502 || find[0].Text("hint") != "by_tenant" {
		t.Errorf("a page is asked for with %s", find[0].Body)
	}
	if find[1].Number("batchSize") != 4 || find[1].Text("hint") != "_id_" {
		t.Errorf("documents are asked for with %s", find[1].Body)
	}
	for _, op := range []store.Op{
		{Kind: store.Replace, Collection: "mortal", ID: "1", Rev: 1, JSON: dying}, {Kind: store.Delete, Collection: "mortal", ID: "1", Rev: 1},
	} {
		if err := db.Batch(t.Context(), []store.Op{op})[0]; err != nil {
			t.Error(err)
		}
	}
	for _, c := range append(s.Seen("update"), s.Seen("delete")...) {
		if hint, _ := c.Documents[0].Lookup("hint").StringValueOK(); hint != "_id_" {
			t.Errorf("%s: hint %q", c.Name, hint)
		}
	}
}

// TestEverySlowAnswerIsAway: a context that ends is the deployment's trouble, too.
func TestEverySlowAnswerIsAway(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	gaveUp := make(chan struct{})
	s.Answer(func(mongofake.Command) bson.D { <-gaveUp; return nil })
	err := db.Batch(ctx, inserts("things", small))[0]
	close(gaveUp)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// TestConnectionsAreNamed: a deployment's log and currentOp say whose connections and commands they are.
func TestConnectionsAreNamed(t *testing.T) {
	t.Parallel()
	for option, want := range map[string]string{"": "tributary", "&appName=inbox-7": "inbox-7"} {
		s := mongofake.New(t)
		db, err := driver.Open(t.Context(), s.URI()+option)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ensure(t.Context(), things); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Query(t.Context(), "things", store.Query{Where: tenantA}); err != nil {
			t.Error(err)
		}
		names := s.AppNames()
		if len(s.Seen("find")) == 0 || len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return name != want }) {
			t.Errorf("connections are named %q, want %q", names, want)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTimeIsThatOfTheServer: what the doctor compares with our clock.
func TestTimeIsThatOfTheServer(t *testing.T) {
	t.Parallel()
	s, db := faked(t)
	for _, by := range []time.Duration{0, time.Hour, -time.Hour} {
		s.SetSkew(by)
		got, err := db.(*driver.DB).Time(t.Context())
		if off := time.Until(got) - by; err != nil || off.Abs() > time.Minute {
			t.Errorf("a clock that is %s ahead shows %s: %v", by, got, err)
		}
	}
}
