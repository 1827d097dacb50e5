package sqlite_test

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"

	"github.com/tributaryhq/tributary/pkg/store/sqlite"
)

// A log that was cut or changed after its process was killed has lost commits, which SQLite does not tell; one that was not has lost
// nothing.
func TestP13_ACutLogIsFoundOut(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		damage func(log []byte) []byte // nil: the file is removed
		lost   bool
	}{
		"nothing":              {func(log []byte) []byte { return log }, false},
		"an unfinished commit": {func(log []byte) []byte { return append(log, make([]byte, 3000)...) }, false},
		"a third less":         {func(log []byte) []byte { return log[:len(log)*2/3] }, true},
		"half of it":           {func(log []byte) []byte { return log[:len(log)/2] }, true},
		"all of it":            {func([]byte) []byte { return []byte{} }, true},
		"the file":             {nil, true},
		"a changed byte": {func(log []byte) []byte {
			log[len(log)/2] ^= 1
			return log
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			cmd, out := start(t, path, "write a few")
			lines := bufio.NewScanner(out)
			for range few {
				if !lines.Scan() {
					t.Fatal("the child has ended")
				}
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			log, err := os.ReadFile(path + "-wal")
			if err != nil {
				t.Fatal(err)
			}
			if tc.damage == nil {
				err = os.Remove(path + "-wal")
			} else {
				err = os.WriteFile(path+"-wal", tc.damage(log), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			pages, err := sqlite.Cut(path)
			if err != nil || tc.lost != (pages > 0) {
				t.Errorf("%d pages are lost, %v", pages, err)
			}
			db, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if pages, err := sqlite.Cut(path); err != nil || pages != 0 {
				t.Errorf("after an orderly stop %d pages are lost, %v", pages, err)
			}
		})
	}
}
