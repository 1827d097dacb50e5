package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// A child is this test binary, started again with these in its environment.
const (
	childFile = "TRIBUTARY_TEST_CHILD_FILE"
	childWork = "TRIBUTARY_TEST_CHILD_WORK"
)

var (
	written = store.Spec{Name: "written", Indexes: []store.Index{{Name: "by_n", Fields: []string{"n"}}}}
	shared  = store.NewCollection[storetest.Doc]
)

// child does what its environment says, and never returns if there is anything.
func child() {
	path := os.Getenv(childFile)
	if path == "" {
		return
	}
	work := map[string]func(context.Context, store.DB) error{"write": writeForEver, "write a few": writeAFew, "count": countUp}[os.Getenv(childWork)]
	err := func() error {
		db, err := sqlite.Open(context.Background(), path)
		if err != nil {
			return err
		}
		if err := db.Ensure(context.Background(), written); err != nil {
			return err
		}
		return errors.Join(work(context.Background(), db), db.Close())
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func start(t *testing.T, path, work string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+path, childWork+"="+work)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

const callers = 16

// writeForEver inserts and updates from many callers, and says what was acknowledged: "i ID" or "u ID N".
func writeForEver(ctx context.Context, db store.DB) error {
	c := shared(db, written)
	lines := make(chan string, callers)
	var g errgroup.Group
	for caller := range callers {
		g.Go(func() error {
			for n := 0; ; n++ {
				d := &storetest.Doc{Meta: store.Meta{ID: fmt.Sprintf("%d-%d-%d", os.Getpid(), caller, n)}, N: int64(n)}
				if err := c.Insert(ctx, d); err != nil {
					return err
				}
				lines <- "i " + d.ID
				u, err := c.Upsert(ctx, fmt.Sprintf("u%d", caller), func() *storetest.Doc { return &storetest.Doc{} },
					func(d *storetest.Doc) error { d.N++; return nil })
				if err != nil {
					return err
				}
				lines <- fmt.Sprintf("u %s %d", u.ID, u.N)
			}
		})
	}
	go func() {
		for l := range lines {
			fmt.Println(l)
		}
	}()
	return g.Wait()
}

// few commits are far fewer than move the log into the database: all of them are in it.
const few = 20

// writeAFew makes so many commits, says each that was acknowledged, and waits to be killed.
func writeAFew(ctx context.Context, db store.DB) error {
	c := shared(db, written)
	for n := range few {
		d := &storetest.Doc{Meta: store.Meta{ID: fmt.Sprint(n)}, N: int64(n)}
		if err := c.Insert(ctx, d); err != nil {
			return err
		}
		fmt.Println("i " + d.ID)
	}
	time.Sleep(time.Hour)
	return nil
}

// TestP13_KilledWhileCommitting: kill -9 in the middle of commits that carry the writes of many callers. Everything that was
// acknowledged is there, and the file is sound.
func TestP13_KilledWhileCommitting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "killed.db")
	var inserted []string
	counted := map[string]int64{}
	for round := range 3 {
		cmd, out := start(t, path, "write")
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var id string
			var count int64
			if k, _ := fmt.Sscanf(lines.Text(), "u %s %d", &id, &count); k == 2 {
				counted[id] = max(counted[id], count)
			} else if k, _ := fmt.Sscanf(lines.Text(), "i %s", &id); k == 1 {
				inserted = append(inserted, id)
			}
			if n == 300+170*round {
				if err := cmd.Process.Kill(); err != nil { // SIGKILL
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
	}
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ensure(t.Context(), written); err != nil {
		t.Fatal(err)
	}
	c := shared(db, written)
	got, err := c.GetMany(t.Context(), inserted)
	if err != nil || len(inserted) < 300 {
		t.Fatalf("%d inserts, %v", len(inserted), err)
	}
	for i, d := range got {
		if d == nil {
			t.Errorf("%s was acknowledged and is lost", inserted[i])
		}
	}
	for id, n := range counted {
		if d, err := c.Get(t.Context(), id); err != nil || d.N < n {
			t.Errorf("%s was acknowledged at %d: %+v, %v", id, n, d, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, path)
}

func sound(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
}

const each = 40 // increments of every caller

// countUp increments one document that all share, and one of its own per caller.
func countUp(ctx context.Context, db store.DB) error {
	c := shared(db, written)
	var g errgroup.Group
	for caller := range 4 {
		g.Go(func() error {
			for range each {
				for _, id := range []string{"all", fmt.Sprintf("%d-%d", os.Getpid(), caller)} {
					if _, err := c.Upsert(ctx, id, func() *storetest.Doc { return &storetest.Doc{} },
						func(d *storetest.Doc) error { d.N++; return nil }); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// TestP3_ProcessesShareTheFile: what several processes change at the same time is changed once for each, and none starves.
func TestP3_ProcessesShareTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "shared.db")
	var children []*exec.Cmd
	for range 2 { // both make the file
		cmd, _ := start(t, path, "count")
		children = append(children, cmd)
	}
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Ensure(t.Context(), written), countUp(t.Context(), db)); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	c := shared(db, written)
	if d, err := c.Get(t.Context(), "all"); err != nil || d.N != 3*4*each {
		t.Errorf("got %+v, %v, want %d increments", d, err, 3*4*each)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, path)
}
