package mongo_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tributaryhq/tributary/pkg/store"
	driver "github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// variable names the deployment to test against, mongodb://host:port without a database. Each test makes one and drops it.
const variable = "TRIBUTARY_TEST_MONGODB_URI"

var databases atomic.Int64

func open(t testing.TB) store.DB {
	t.Helper()
	uri := os.Getenv(variable)
	if uri == "" {
		t.Skipf("set %s to a MongoDB deployment to run this", variable)
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatalf("%s: not a URL", variable)
	}
	name := fmt.Sprintf("tributary_test_%d_%d", time.Now().UnixNano(), databases.Add(1))
	u.Path = "/" + name
	if u.RawQuery == "" || u.Query().Get("authSource") == "" && u.User != nil {
		q := u.Query()
		if u.User != nil {
			q.Set("authSource", "admin")
		}
		u.RawQuery = q.Encode()
	}
	db, err := driver.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		drop(t, uri, name)
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func drop(t testing.TB, uri, name string) {
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := client.Database(name).Drop(ctx); err != nil {
		t.Errorf("drop %s: %v", name, err)
	}
	if err := client.Disconnect(ctx); err != nil {
		t.Error(err)
	}
}

func TestStore(t *testing.T) {
	open(t)
	storetest.Run(t, open)
}

func TestP3_RacersLeaveOneDocument(t *testing.T) { storetest.P3Racers(t, open) }

func TestP4_FactsInOrder(t *testing.T) { open(t); storetest.P4FactsInOrder(t, open) }

func TestP5_OneOpenConversation(t *testing.T) { storetest.P5OneOpen(t, open, 20) }

func TestP13_KilledAtEveryStep(t *testing.T) { storetest.P13KilledAnywhere(t, open) }
