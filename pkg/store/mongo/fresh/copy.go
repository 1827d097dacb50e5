package fresh

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// Documents are those of a database by collection.
type Documents map[string][]bson.Raw

// Read returns all documents of the database that uri names. It is no snapshot: nobody may be writing.
func Read(ctx context.Context, uri string) (Documents, error) {
	out := Documents{}
	err := with(ctx, uri, func(db *mongo.Database) error {
		names, err := db.ListCollectionNames(ctx, bson.D{})
		for _, name := range names {
			var found []bson.Raw
			cursor, e := db.Collection(name).Find(ctx, bson.D{})
			if e == nil {
				e = cursor.All(ctx, &found)
			}
			out[name], err = found, errors.Join(err, e)
		}
		return err
	})
	return out, err
}

// Write inserts the documents into the database that uri names.
func (d Documents) Write(ctx context.Context, uri string) error {
	return with(ctx, uri, func(db *mongo.Database) (err error) {
		for name, all := range d {
			if len(all) > 0 {
				_, e := db.Collection(name).InsertMany(ctx, all)
				err = errors.Join(err, e)
			}
		}
		return err
	})
}

func with(ctx context.Context, uri string, do func(*mongo.Database) error) error {
	at, err := connstring.Parse(uri)
	if err != nil {
		return fmt.Errorf("fresh: %w", err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return fmt.Errorf("fresh: %w", err)
	}
	if err := errors.Join(do(client.Database(at.Database)), client.Disconnect(ctx)); err != nil {
		return fmt.Errorf("fresh: %s: %w", at.Database, err)
	}
	return nil
}
