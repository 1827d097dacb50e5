package sqlite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
)

// What the log holds reaches the database long before SQLite's own checkpoint, with which a commit keeps everybody waiting.
func TestTheLogIsMovedWhileOthersWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := db.Ensure(t.Context(), store.Spec{Name: "things"}); err != nil {
		t.Fatal(err)
	}
	moved := func() int64 {
		s, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return s.Size()
	}
	before := moved()
	for n := range 2 * checkpointEvery {
		doc := fmt.Sprintf(`{"_id":"d%d","text":"%0500d"}`, n, n)
		if err := db.Batch(t.Context(), []store.Op{{Kind: store.Insert, Collection: "things", ID: fmt.Sprint("d", n), JSON: json.RawMessage(doc)}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(time.Minute); moved() < before+checkpointEvery*500; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the database has %d bytes after %d writes of 500, %d before", moved(), 2*checkpointEvery, before)
		}
	}
}
