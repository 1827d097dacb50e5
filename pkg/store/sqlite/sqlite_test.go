package sqlite_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func TestMain(m *testing.M) {
	child()
	goleak.VerifyTestMain(m)
}

func open(t testing.TB) store.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open)
}

func TestP3_RacersLeaveOneDocument(t *testing.T) { t.Parallel(); storetest.P3Racers(t, open) }

func TestP4_FactsInOrder(t *testing.T) { t.Parallel(); storetest.P4FactsInOrder(t, open) }

func TestP5_OneOpenConversation(t *testing.T) { t.Parallel(); storetest.P5OneOpen(t, open, 60) }

func TestP13_KilledAtEveryStep(t *testing.T) { t.Parallel(); storetest.P13KilledAnywhere(t, open) }
