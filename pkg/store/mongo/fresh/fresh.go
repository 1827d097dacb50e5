// Package fresh gives tests an empty database of the MongoDB deployment that TRIBUTARY_TEST_MONGODB_URI names.
package fresh

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Variable names the deployment, mongodb://host:port without a database.
const Variable = "TRIBUTARY_TEST_MONGODB_URI"

// Real reports whether there is such a deployment.
func Real() bool { return os.Getenv(Variable) != "" }

var databases atomic.Int64

// Database returns the URI of a database that nobody has used. drop deletes it and all that is in it.
func Database() (uri string, drop func(context.Context) error, err error) {
	deployment := os.Getenv(Variable)
	u, err := url.Parse(deployment)
	if err != nil || u.Host == "" {
		return "", nil, fmt.Errorf("%s: want mongodb://host:port", Variable)
	}
	name := fmt.Sprintf("tributary_test_%d_%d", time.Now().UnixNano(), databases.Add(1))
	u.Path = "/" + name
	if q := u.Query(); u.User != nil && q.Get("authSource") == "" {
		q.Set("authSource", "admin") // where users are if the URI names no database
		u.RawQuery = q.Encode()
	}
	return u.String(), func(ctx context.Context) error { return remove(ctx, deployment, name) }, nil
}

func remove(ctx context.Context, deployment, name string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(deployment))
	if err != nil {
		return err
	}
	err = client.Database(name).Drop(ctx)
	if err = errors.Join(err, client.Disconnect(ctx)); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	return nil
}
