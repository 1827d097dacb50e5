package mongo_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/store"
	driver "github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/pkg/store/mongo/mongofake"
)

// deployment has indexes, and those that createIndexes asks for once they are built.
type deployment struct {
	*mongofake.Server
	indexes mongofake.Indexes
	unready string // listed, and refused to queries
}

func (d *deployment) answer(c mongofake.Command) bson.D {
	if c.Name == "find" && d.unready != "" && c.Text("hint") == d.unready {
		return mongofake.Refused(2, noIndex)
	}
	return d.indexes.Answer(c)
}

var idKey = bson.D{{Key: "name", Value: "_id_"}, {Key: "key", Value: bson.D{{Key: "_id", Value: 1}}}}

func ix(name string, keys ...string) bson.D {
	key := bson.D{}
	for _, k := range keys {
		key = append(key, bson.E{Key: k, Value: 1.0})
	}
	return bson.D{{Key: "name", Value: name}, {Key: "key", Value: key}}
}

var indexed = store.Spec{
	Name: "things", Superseded: []string{"old"}, Indexes: []store.Index{
		{Name: "by_tenant", Fields: []string{"tenant", "n"}}, {Name: "by_group", Fields: []string{"group", "n"}, Has: "group"},
	},
}

func deploy(t *testing.T, indexes ...any) (*deployment, *driver.DB) {
	t.Helper()
	d := &deployment{Server: mongofake.New(t), indexes: mongofake.Indexes{"things": indexes}}
	db, err := driver.Open(t.Context(), d.URI())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	d.Answer(d.answer)
	return d, db.(*driver.DB)
}

// TestRequireOnlyLooks: a service creates nothing, and says which index is missing and how it is made.
func TestRequireOnlyLooks(t *testing.T) {
	t.Parallel()
	partial := append(ix("by_group", "group", "n", "_id"),
		bson.E{Key: "partialFilterExpression", Value: bson.D{{Key: "group", Value: bson.D{{Key: "$exists", Value: true}}}}})
	for name, tt := range map[string]struct {
		indexes []any
		unready string
		want    []string // in the error; none: no error
	}{
		"no collection":      {nil, "", []string{"things.by_tenant", "things.by_group", "tributary store ensure"}},
		"one is missing":     {[]any{idKey, partial}, "", []string{"things.by_tenant;", "tributary store ensure"}},
		"one is being built": {[]any{idKey, ix("by_tenant", "tenant", "n", "_id"), partial}, "by_group", []string{"things.by_group (is being built)"}},
		"all are there":      {[]any{idKey, ix("by_tenant", "tenant", "n", "_id"), partial}, "", nil},
		"other fields":       {[]any{idKey, ix("by_tenant", "tenant", "m", "_id"), partial}, "", []string{"index by_tenant of things", "another form"}},
		"other filter":       {[]any{idKey, ix("by_tenant", "tenant", "n", "_id"), ix("by_group", "group", "n", "_id")}, "", []string{"by_group", "another form"}},
	} {
		d, db := deploy(t, tt.indexes...)
		d.unready = tt.unready
		err := db.Require(t.Context(), indexed)
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range tt.want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v does not say %q", name, err, text)
			}
		}
		if missing := tt.want != nil && !strings.HasPrefix(name, "other"); errors.Is(err, store.ErrMissing) != missing {
			t.Errorf("%s: %v; something to wait for: want %t", name, err, missing)
		}
		if len(d.Seen("createIndexes"))+len(d.Seen("create"))+len(d.Seen("dropIndexes")) > 0 {
			t.Errorf("%s: a service changes the deployment", name)
		}
		if _, err := db.Query(t.Context(), "things", store.Query{Where: tenantA}); (err == nil) != (tt.want == nil) {
			t.Errorf("%s: query: %v", name, err)
		}
		looked := len(d.Seen("listIndexes"))
		if tt.want == nil {
			if err := db.Require(t.Context(), indexed); err != nil || len(d.Seen("listIndexes")) != looked {
				t.Errorf("%s: looked again: %v", name, err)
			}
		}
	}
}

// TestBuild: the job creates what is missing without a deadline, says what it does, and does nothing the second time.
func TestBuild(t *testing.T) {
	t.Parallel()
	d, db := deploy(t, idKey, ix("old", "x"))
	var lines []string
	var mu sync.Mutex
	job := driver.Job{CommitQuorum: "majority", Progress: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}}
	if err := db.Build(t.Context(), job, indexed); err != nil {
		t.Fatal(err)
	}
	made := d.Seen("createIndexes")
	if len(made) != 1 || made[0].Text("commitQuorum") != "majority" || made[0].Number("maxTimeMS") != -1 {
		t.Errorf("asked for with %v", made)
	}
	if err := db.Require(t.Context(), indexed); err != nil {
		t.Error(err)
	}
	again := lines
	lines = nil
	if err := db.Build(t.Context(), job, indexed); err != nil || len(d.Seen("createIndexes")) != 1 || len(d.Seen("dropIndexes")) != 0 {
		t.Errorf("the second time: %v, %v", err, d.Seen("createIndexes"))
	}
	said := strings.Join(append(again, lines...), "\n")
	for _, text := range []string{"1/1 things: building by_tenant, by_group", "built in", "old is superseded", "--drop-superseded", "2 indexes are there"} {
		if !strings.Contains(said, text) {
			t.Errorf("%q is not said: %s", text, said)
		}
	}
	job.DropSuperseded = true
	if err := db.Build(t.Context(), job, indexed); err != nil {
		t.Error(err)
	}
	if drop := d.Seen("dropIndexes"); len(drop) != 1 || drop[0].Text("index") != "old" {
		t.Errorf("dropped %v", drop)
	}
}

// TestBuildSaysHowFarItIs: a build of hours is no silence; without the privilege to look it says how long it has been.
func TestBuildSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ops  bson.D
		want string
	}{
		"may look":     {mongofake.Documents(0, bson.D{{Key: "msg", Value: "Index Build: scanning collection 53%"}}), ": Index Build: scanning collection 53%"},
		"may not look": {mongofake.Refused(13, "not authorized"), "s"},
	} {
		d, db := deploy(t, idKey)
		said := make(chan string, 1)
		released := make(chan struct{})
		d.Answer(func(c mongofake.Command) bson.D {
			if c.Name == "aggregate" {
				return tt.ops
			}
			return d.answer(c)
		})
		d.Hold("createIndexes", released)
		job := driver.Job{Every: 5 * time.Millisecond, Progress: func(line string) {
			if strings.Contains(line, "still building") {
				select {
				case said <- line:
				default:
				}
			}
		}}
		done := make(chan error, 1)
		go func() { done <- db.Build(t.Context(), job, indexed) }()
		if line := <-said; !strings.HasSuffix(line, tt.want) {
			t.Errorf("%s: %q", name, line)
		}
		close(released)
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBuildIsInterrupted: the job may be stopped; what goes on in the deployment is found when it runs again.
func TestBuildIsInterrupted(t *testing.T) {
	t.Parallel()
	d, db := deploy(t, idKey)
	d.Answer(func(c mongofake.Command) bson.D {
		if c.Name == "createIndexes" {
			return mongofake.Refused(11601, "operation was interrupted")
		}
		return d.answer(c)
	})
	if err := db.Build(t.Context(), driver.Job{}, indexed); kind(err) != "away" {
		t.Errorf("%v", err)
	}
	d.Answer(d.answer)
	if err := errors.Join(db.Build(t.Context(), driver.Job{}, indexed), db.Require(t.Context(), indexed)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(3, len(d.indexes["things"])); diff != "" {
		t.Error(diff)
	}
}
