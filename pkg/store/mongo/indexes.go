package mongo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tributaryhq/tributary/pkg/store"
)

// exists is the condition of partial indexes: the document has the field.
var exists = bson.D{{Key: "$exists", Value: true}}

// index is one that a collection needs.
type index struct {
	name    string
	keys    bson.D
	filter  string // the field that documents in it have; "": all documents are in it
	expires bool   // documents go away at the time of its key
}

// indexes are those that the collection needs besides the one of _id.
func (c *collection) indexes() []index {
	var all []index
	for _, ix := range c.spec.Declared() {
		if len(ix.Fields) == 0 {
			continue // the index of _id
		}
		keys := bson.D{}
		for _, f := range ix.Names() {
			keys = append(keys, bson.E{Key: f, Value: 1})
		}
		all = append(all, index{name: ix.Name, keys: append(keys, bson.E{Key: fieldID, Value: 1}), filter: ix.Filter()})
	}
	if c.spec.Expires {
		all = append(all, index{name: fieldExpires, keys: bson.D{{Key: fieldExpires, Value: 1}}, expires: true})
	}
	if c.spec.Lists != nil {
		all = append(all, listsIndexes(c.spec.Lists)...)
	}
	if s := c.spec.Search; s != nil {
		keys := bson.D{}
		if len(s.Fields) > 0 {
			keys = append(keys, bson.E{Key: s.Fields[0], Value: 1})
		}
		keys = append(keys, bson.E{Key: "words", Value: 1}, bson.E{Key: s.Order, Value: -1}, bson.E{Key: fieldID, Value: -1})
		all = append(all, index{name: searchIndex, keys: keys})
	}
	return all
}

func (ix index) model() mongo.IndexModel {
	opts := options.Index().SetName(ix.name)
	if ix.filter != "" {
		opts.SetPartialFilterExpression(bson.D{{Key: ix.filter, Value: exists}})
	}
	if ix.expires {
		opts.SetExpireAfterSeconds(0)
	}
	return mongo.IndexModel{Keys: ix.keys, Options: opts}
}

// matches reports whether an index of the deployment has the same keys and filter.
func (ix index) matches(have bson.Raw) bool {
	keys, ok := have.Lookup("key").DocumentOK()
	if !ok {
		return false
	}
	elems, err := keys.Elements()
	same := err == nil && slices.EqualFunc(elems, ix.keys, func(e bson.RawElement, want bson.E) bool {
		dir, ok := e.Value().AsInt64OK()
		return ok && e.Key() == want.Key && dir == int64(want.Value.(int))
	})
	filter := ""
	if f, ok := have.Lookup("partialFilterExpression").DocumentOK(); ok {
		if elems, err := f.Elements(); err == nil && len(elems) == 1 {
			filter = elems[0].Key()
		}
	}
	return same && filter == ix.filter
}

// listed returns the indexes that the deployment has, by name; some may still be being built.
func (c *collection) listed(ctx context.Context) (map[string]bson.Raw, error) {
	cur, err := c.Indexes().List(ctx)
	if err != nil {
		return nil, trouble(fmt.Errorf("mongo %s: list indexes: %w", c.spec.Name, err))
	}
	var all []bson.Raw
	if err := cur.All(ctx, &all); err != nil {
		return nil, trouble(fmt.Errorf("mongo %s: list indexes: %w", c.spec.Name, err))
	}
	by := make(map[string]bson.Raw, len(all))
	for _, raw := range all {
		name, _ := raw.Lookup("name").StringValueOK()
		by[name] = raw
	}
	return by, nil
}

// compare returns the indexes that are not there. One that is there in another form is an error.
func (c *collection) compare(have map[string]bson.Raw) (absent []index, err error) {
	for _, ix := range c.indexes() {
		raw, there := have[ix.name]
		switch {
		case !there:
			absent = append(absent, ix)
		case !ix.matches(raw):
			return nil, fmt.Errorf("mongo: index %s of %s is there in another form (%v); drop it, then run: tributary store ensure",
				ix.name, c.spec.Name, raw.Lookup("key"))
		}
	}
	return absent, nil
}

// unusable returns the indexes that queries cannot name: not there, or still being built.
func (c *collection) unusable(ctx context.Context) (names []string, err error) {
	have, err := c.listed(ctx)
	if err != nil {
		return nil, err
	}
	absent, err := c.compare(have)
	if err != nil {
		return nil, err
	}
	for _, ix := range c.indexes() {
		if slices.ContainsFunc(absent, func(a index) bool { return a.name == ix.name }) {
			names = append(names, c.spec.Name+"."+ix.name)
			continue
		}
		building, err := c.building(ctx, ix)
		if err != nil {
			return nil, err
		}
		if building {
			names = append(names, c.spec.Name+"."+ix.name+" (is being built)")
		}
	}
	return names, nil
}

// building reports whether a query that names the index is refused: it is listed before it is built.
func (c *collection) building(ctx context.Context, ix index) (bool, error) {
	if ix.expires {
		return false, nil // no query needs it
	}
	cond := bson.D{}
	if ix.filter != "" {
		cond = is(ix.filter, exists)
	}
	err := c.FindOne(ctx, cond, options.FindOne().SetHint(ix.name).SetProjection(bson.D{{Key: fieldID, Value: 1}})).Err()
	if refused, ok := err.(mongo.ServerError); ok && lacksIndex(refused) { //nolint:errorlint // the driver does not wrap it
		return true, nil
	}
	if err != nil && err != mongo.ErrNoDocuments { //nolint:errorlint // the driver does not wrap it
		return false, trouble(fmt.Errorf("mongo %s: look for index %s: %w", c.spec.Name, ix.name, err))
	}
	return false, nil
}

// Require implements store.DB. What it has found once it does not ask again.
func (db *DB) Require(ctx context.Context, specs ...store.Spec) error {
	all, err := db.declared(specs)
	if err != nil {
		return err
	}
	var missing []string
	for _, c := range all {
		if db.knows(c.spec) {
			continue
		}
		names, err := c.unusable(ctx)
		if err != nil {
			return err
		}
		missing = append(missing, names...)
	}
	if len(missing) > 0 {
		return fmt.Errorf("mongo: %w: %s; create them with: tributary store ensure", store.ErrMissing, strings.Join(missing, ", "))
	}
	db.learn(all)
	return nil
}

// Ensure implements store.DB. An index that is there in another form is an error: a changed index needs a new name.
func (db *DB) Ensure(ctx context.Context, specs ...store.Spec) error {
	return db.Build(ctx, Job{}, specs...)
}

// declared returns the collections with what this process knows of them already.
func (db *DB) declared(specs []store.Spec) ([]*collection, error) {
	var all []*collection
	for _, spec := range store.Merge(specs...) {
		if err := spec.Check(); err != nil {
			return nil, fmt.Errorf("mongo: %w", err)
		}
		if c, err := db.collection(spec.Name); err == nil {
			spec = c.spec.Join(spec)
		}
		all = append(all, &collection{Collection: db.db.Collection(spec.Name), spec: spec})
	}
	return all, nil
}

// knows reports whether the collection is known with all that the declaration asks for.
func (db *DB) knows(spec store.Spec) bool {
	c, err := db.collection(spec.Name)
	return err == nil && len((&collection{spec: spec}).indexes()) == len(c.indexes())
}

func (db *DB) learn(all []*collection) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, c := range all {
		db.known[c.spec.Name] = c
	}
}

// Job is how indexes are built.
type Job struct {
	Progress       func(line string) // what is done, and every few seconds how far it is; nil: silent
	Every          time.Duration     // between two lines of a build; 0: 10 s
	CommitQuorum   string            // members that must be ready: votingMembers, majority, a number; "": the deployment's own
	DropSuperseded bool              // indexes that no process of this version uses
}

// unbounded is longer than any build. The client's own timeout counts only without a deadline, and beyond 24 days the driver sends
// none to the server.
const unbounded = 365 * 24 * time.Hour

// Build creates collections and indexes. It has no deadline but ctx, and may be repeated at any time, also while an earlier build
// goes on: MongoDB finishes a build whose client is gone, and a second request for it waits for the same one.
func (db *DB) Build(ctx context.Context, job Job, specs ...store.Spec) error {
	ctx, cancel := context.WithTimeout(ctx, unbounded)
	defer cancel()
	all, err := db.declared(specs)
	if err != nil {
		return err
	}
	for i, c := range all {
		if err := c.build(ctx, job, fmt.Sprintf("%d/%d %s", i+1, len(all), c.spec.Name)); err != nil {
			return err
		}
	}
	db.learn(all)
	return nil
}

const namespaceExists = 48

func (c *collection) build(ctx context.Context, job Job, title string) error {
	have, err := c.listed(ctx)
	if err != nil {
		return err
	}
	if len(have) == 0 { // a collection has the index of _id
		err := c.Database().CreateCollection(ctx, c.spec.Name)
		if refused, ok := err.(mongo.ServerError); err != nil && (!ok || !refused.HasErrorCode(namespaceExists)) { //nolint:errorlint // not wrapped
			return trouble(fmt.Errorf("mongo: create %s: %w", c.spec.Name, err))
		}
	}
	absent, err := c.compare(have)
	if err != nil {
		return err
	}
	if err := c.createAll(ctx, job, title, absent); err != nil {
		return err
	}
	return c.dropSuperseded(ctx, job, title, have)
}

func (c *collection) createAll(ctx context.Context, job Job, title string, absent []index) error {
	if len(absent) == 0 {
		job.say("%s: %d indexes are there", title, len(c.indexes()))
		return nil
	}
	var names []string
	var models []mongo.IndexModel
	for _, ix := range absent {
		names, models = append(names, ix.name), append(models, ix.model())
	}
	job.say("%s: building %s", title, strings.Join(names, ", "))
	began, done := time.Now(), make(chan error, 1)
	go func() {
		_, err := c.Indexes().CreateMany(ctx, models, job.options())
		done <- err
	}()
	tick := time.NewTicker(max(job.Every, time.Millisecond))
	if job.Every == 0 {
		tick.Reset(10 * time.Second)
	}
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return trouble(fmt.Errorf("mongo: build %s of %s: %w", strings.Join(names, ", "), c.spec.Name, err))
			}
			job.say("%s: built in %s", title, time.Since(began).Round(time.Millisecond))
			return nil
		case <-tick.C:
			job.say("%s: still building after %s%s", title, time.Since(began).Round(time.Second), c.progress(ctx))
		}
	}
}

// progress is how far the deployment says it is; nothing where the user may not ask (privilege inprog).
func (c *collection) progress(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	cur, err := c.Database().Client().Database("admin").Aggregate(ctx, mongo.Pipeline{
		{{Key: "$currentOp", Value: bson.D{{Key: "allUsers", Value: true}}}},
		{{Key: "$match", Value: bson.D{
			{Key: "command.createIndexes", Value: c.spec.Name}, {Key: "msg", Value: bson.D{{Key: "$exists", Value: true}}},
		}}},
	})
	if err != nil {
		return ""
	}
	var ops []struct {
		Msg string `bson:"msg"`
	}
	if err := cur.All(ctx, &ops); err != nil || len(ops) == 0 {
		return ""
	}
	return ": " + ops[0].Msg
}

// dropSuperseded drops indexes that an earlier version declared, or says that they are there: processes of that version still
// name them in their queries.
func (c *collection) dropSuperseded(ctx context.Context, job Job, title string, have map[string]bson.Raw) error {
	for _, name := range c.spec.Superseded {
		if _, there := have[name]; !there {
			continue
		}
		if !job.DropSuperseded {
			job.say("%s: index %s is superseded; when no process of an earlier version runs any more, "+
				"drop it with: tributary store ensure --drop-superseded", title, name)
			continue
		}
		if err := c.Indexes().DropOne(ctx, name); err != nil {
			return trouble(fmt.Errorf("mongo: drop index %s of %s: %w", name, c.spec.Name, err))
		}
		job.say("%s: dropped %s, which is superseded", title, name)
	}
	return nil
}

func (j Job) say(format string, args ...any) {
	if j.Progress != nil {
		j.Progress(fmt.Sprintf(format, args...))
	}
}

func (j Job) options() *options.CreateIndexesOptionsBuilder {
	opts := options.CreateIndexes()
	if n, err := strconv.ParseInt(j.CommitQuorum, 10, 32); err == nil {
		return opts.SetCommitQuorumInt(int32(n))
	}
	if j.CommitQuorum != "" {
		opts.SetCommitQuorumString(j.CommitQuorum)
	}
	return opts
}
