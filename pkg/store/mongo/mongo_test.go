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

// TestRequireAfterEnsure: what one process has made another finds.
func TestRequireAfterEnsure(t *testing.T) {
	if !fresh.Real() {
		t.Skipf("set %s to a MongoDB deployment to run this", fresh.Variable)
	}
	uri, drop, err := fresh.Database()
	if err != nil {
		t.Fatal(err)
	}
	first, err := driver.Open(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	second, err := driver.Open(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(drop(context.WithoutCancel(t.Context())), first.Close(), second.Close()); err != nil {
			t.Error(err)
		}
	}()
	if err := second.Require(t.Context(), indexed); !errors.Is(err, store.ErrMissing) {
		t.Errorf("before: %v", err)
	}
	if err := errors.Join(first.Ensure(t.Context(), indexed), second.Require(t.Context(), indexed)); err != nil {
		t.Errorf("after: %v", err)
	}
}

func TestP3_RacersLeaveOneDocument(t *testing.T) { storetest.P3Racers(t, open) }

func TestP4_FactsInOrder(t *testing.T) { open(t); storetest.P4FactsInOrder(t, open) }

func TestP5_OneOpenConversation(t *testing.T) { storetest.P5OneOpen(t, open, 20) }

func TestP13_KilledAtEveryStep(t *testing.T) { storetest.P13KilledAnywhere(t, open) }
