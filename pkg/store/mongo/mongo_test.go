package mongo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
	driver "github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/pkg/store/mongo/fresh"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func open(t testing.TB) store.DB {
	t.Helper()
	if !fresh.Real() {
		t.Skipf("set %s to a MongoDB deployment to run this", fresh.Variable)
	}
	uri, drop, err := fresh.Database()
	if err != nil {
		t.Fatal(err)
	}
	db, err := driver.Open(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(drop(ctx), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestStore(t *testing.T) {
	open(t)
	storetest.Run(t, open)
}

func TestP3_RacersLeaveOneDocument(t *testing.T) { storetest.P3Racers(t, open) }

func TestP4_FactsInOrder(t *testing.T) { open(t); storetest.P4FactsInOrder(t, open) }

func TestP5_OneOpenConversation(t *testing.T) { storetest.P5OneOpen(t, open, 20) }

func TestP13_KilledAtEveryStep(t *testing.T) { storetest.P13KilledAnywhere(t, open) }
