// Package mongo keeps documents in MongoDB 6.0 or later: the store of production.
//
// It uses nothing but operations on single documents: no transactions, no change streams. Writes are acknowledged by a
// majority with journal, reads come from the primary at read concern majority. A document is its JSON as BSON, with _rev and,
// where it expires, _expires beside it. Collections may be sharded by _id, hashed.
package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	defaultTimeout  = 5 * time.Second // of an operation whose context has no deadline
	defaultDatabase = "tributary"     // if the URI names none
	closeTime       = 5 * time.Second
	ensureTime      = 10 * time.Minute // an index over what is already there takes its time
)

// Our own fields beside the document's. Their names cannot be those of a document's field: those begin with a letter.
const (
	fieldID      = "_id"
	fieldRev     = "_rev"
	fieldExpires = "_expires"
)

// DB is a database of a MongoDB deployment.
type DB struct {
	client *mongo.Client
	db     *mongo.Database

	mu    sync.RWMutex
	known map[string]*collection
}

var _ store.DB = (*DB)(nil)

// collection is a declared collection.
type collection struct {
	*mongo.Collection
	spec store.Spec
}

// Open connects and waits for the primary. The URI may set anything but write concern, read concern and read preference; it
// names the database, or it is "tributary".
func Open(ctx context.Context, uri string) (store.DB, error) {
	cs, err := connstring.ParseAndValidate(uri)
	if err != nil {
		return nil, fmt.Errorf("mongo: the URI is not one: %w", redact(err, uri))
	}
	journal := true
	opts := options.Client().ApplyURI(uri).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journal}).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary())
	if opts.Timeout == nil {
		opts.SetTimeout(defaultTimeout)
	}
	if opts.MinPoolSize == nil {
		opts.SetMinPoolSize(2)
	}
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, fmt.Errorf("mongo: connect: %w", redact(err, uri))
	}
	name := cs.Database
	if name == "" {
		name = defaultDatabase
	}
	db := &DB{client: client, db: client.Database(name), known: map[string]*collection{}}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// redact hides the URI, which holds the password.
func redact(err error, uri string) error {
	return errors.New(strings.ReplaceAll(err.Error(), uri, "…"))
}

// Ping implements store.DB.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.client.Ping(ctx, readpref.Primary()); err != nil {
		return trouble(fmt.Errorf("mongo: ping: %w", err))
	}
	return nil
}

// Close implements store.DB.
func (db *DB) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return db.client.Disconnect(ctx)
}

// Ensure implements store.DB. An index that is there with other fields is an error: a changed index needs a new name.
func (db *DB) Ensure(ctx context.Context, specs ...store.Spec) error {
	ctx, cancel := context.WithTimeout(ctx, ensureTime)
	defer cancel()
	for _, spec := range specs {
		if err := spec.Check(); err != nil {
			return fmt.Errorf("mongo: %w", err)
		}
		c := &collection{Collection: db.db.Collection(spec.Name), spec: spec}
		if models := c.indexes(); len(models) > 0 {
			if _, err := c.Indexes().CreateMany(ctx, models); err != nil {
				return trouble(fmt.Errorf("mongo: ensure %s: %w", spec.Name, err))
			}
		}
		db.mu.Lock()
		db.known[spec.Name] = c
		db.mu.Unlock()
	}
	return nil
}

func (c *collection) indexes() []mongo.IndexModel {
	var models []mongo.IndexModel
	for _, ix := range c.spec.Declared() {
		if len(ix.Fields) == 0 {
			continue // the index of _id
		}
		keys, opts := bson.D{}, options.Index().SetName(ix.Name)
		for _, f := range ix.Names() {
			keys = append(keys, bson.E{Key: f, Value: 1})
		}
		if ix.Sparse {
			opts.SetPartialFilterExpression(bson.D{{Key: ix.Names()[len(ix.Fields)-1], Value: bson.D{{Key: "$exists", Value: true}}}})
		}
		models = append(models, mongo.IndexModel{Keys: append(keys, bson.E{Key: fieldID, Value: 1}), Options: opts})
	}
	if c.spec.Expires {
		models = append(models, mongo.IndexModel{
			Keys: bson.D{{Key: fieldExpires, Value: 1}}, Options: options.Index().SetName(fieldExpires).SetExpireAfterSeconds(0),
		})
	}
	if s := c.spec.Search; s != nil {
		keys := bson.D{}
		if len(s.Fields) > 0 {
			keys = append(keys, bson.E{Key: s.Fields[0], Value: 1})
		}
		keys = append(keys, bson.E{Key: "words", Value: 1}, bson.E{Key: s.Order, Value: -1}, bson.E{Key: fieldID, Value: -1})
		models = append(models, mongo.IndexModel{Keys: keys, Options: options.Index().SetName(searchIndex)})
	}
	return models
}

func (db *DB) collection(name string) (*collection, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if c := db.known[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("mongo: collection %q was not ensured", name)
}

// alive is the condition that a document has not expired, or nothing.
func (c *collection) alive() bson.A {
	if !c.spec.Expires {
		return nil
	}
	return bson.A{bson.D{{Key: fieldExpires, Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$lte", Value: time.Now()}}}}}}}
}
