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
	appName         = "tributary" // in the deployment's log and in currentOp, if the URI names no other
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
	leads  *store.Leads

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
	if opts.AppName == nil {
		opts.SetAppName(appName)
	}
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, fmt.Errorf("mongo: connect: %w", redact(err, uri))
	}
	name := cs.Database
	if name == "" {
		name = defaultDatabase
	}
	db := &DB{client: client, db: client.Database(name), leads: store.NewLeads(), known: map[string]*collection{}}
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

// Time is what the clock of the server shows that answers.
func (db *DB) Time(ctx context.Context) (time.Time, error) {
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	if err := db.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return time.Time{}, trouble(fmt.Errorf("mongo: hello: %w", err))
	}
	return hello.LocalTime, nil
}

// Close implements store.DB.
func (db *DB) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return db.client.Disconnect(ctx)
}

func (db *DB) collection(name string) (*collection, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if c := db.known[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("mongo: collection %q was not required", name)
}

// alive is the condition that a document has not expired, or nothing.
func (c *collection) alive() bson.A {
	if !c.spec.Expires {
		return nil
	}
	return bson.A{bson.D{{Key: fieldExpires, Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$lte", Value: time.Now()}}}}}}}
}
