package e2e

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tributaryhq/tributary/pkg/store/mongo/fresh"
)

// halt ends all processes but those of the servers with SIGTERM.
func (t *test) halt() {
	t.Helper()
	t.mu.Lock()
	ending := map[string]*process{}
	for name, x := range t.processes {
		if name != "servers" {
			ending[name] = x
			_ = x.cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	t.mu.Unlock()
	for name, x := range ending {
		select {
		case <-x.done:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s does not end", name)
		}
	}
}

// backup is a folder, and on a MongoDB of others the documents of its collections.
type backup struct {
	dir       string
	documents fresh.Documents
}

// backup takes what has to be kept, as the guide says: of one process that has ended its whole data directory; of separate processes that
// run a snapshot of the store, then the files; of a MongoDB without snapshots (the tests' stand-in) its documents, of processes that
// have ended.
func (t *test) backup() (b backup) {
	t.Helper()
	b.dir = t.TempDir()
	data := filepath.Join(t.dir, "data")
	var err error
	switch {
	case !t.separate:
		t.halt()
		err = errors.Join(os.CopyFS(b.dir, os.DirFS(data)), t.start())
		t.register()
	case t.real != nil:
		t.halt()
		b.documents, err = fresh.Read(t.Context(), t.servers["TRIBUTARY_STORE_URL"])
		err = errors.Join(err, os.CopyFS(filepath.Join(b.dir, "blobs"), os.DirFS(filepath.Join(t.dir, "blobs"))), t.start())
		t.register()
	default:
		err = errors.Join(snapshot(t.Context(), filepath.Join(data, "tributary.db"), filepath.Join(b.dir, "tributary.db")),
			os.CopyFS(filepath.Join(b.dir, "blobs"), os.DirFS(filepath.Join(data, "blobs"))))
		var key []byte
		if err == nil {
			key, err = os.ReadFile(filepath.Join(data, "encryption.key"))
		}
		err = errors.Join(err, os.WriteFile(filepath.Join(b.dir, "encryption.key"), key, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// snapshot copies an SQLite file that processes are writing to, as of one moment.
func snapshot(ctx context.Context, from, to string) error {
	db, err := sql.Open("sqlite", "file:"+from+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	return errors.Join(err, db.Close())
}

// lose ends everything with -9 and deletes all that it has kept: broker, Redis, store, files.
func (t *test) lose() {
	t.Helper()
	t.kill()
	err := errors.Join(os.RemoveAll(filepath.Join(t.dir, "data")), os.RemoveAll(filepath.Join(t.dir, "blobs")))
	if t.real != nil {
		err = errors.Join(err, t.real.close())
		t.real = nil
	}
	if err != nil {
		t.Fatal(err)
	}
}

// restore starts the platform on the backup and servers that know nothing.
func (t *test) restore(b backup) {
	t.Helper()
	key := t.servers["TRIBUTARY_ENCRYPTION_KEY"]
	data := filepath.Join(t.dir, "data")
	var err error
	if b.documents != nil {
		err = t.useReal()
		t.servers["TRIBUTARY_ENCRYPTION_KEY"] = key
		err = errors.Join(err, b.documents.Write(t.Context(), t.servers["TRIBUTARY_STORE_URL"]),
			os.CopyFS(filepath.Join(t.dir, "blobs"), os.DirFS(filepath.Join(b.dir, "blobs"))))
	} else {
		err = os.CopyFS(data, os.DirFS(b.dir))
	}
	if err = errors.Join(err, t.start()); err != nil {
		t.Fatal(err)
	}
	t.register()
}

// restoreStore puts the documents of a backup in the place of those that are there.
func (r *real) restoreStore(p *platform, b backup) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	drop := r.drop
	uri, dropNew, err := fresh.Database()
	if err != nil {
		return err
	}
	r.drop, p.servers["TRIBUTARY_STORE_URL"] = dropNew, uri
	return errors.Join(drop(ctx), indexes(ctx, uri), b.documents.Write(ctx, uri))
}

// forgetReaders deletes the groups, but for those that send: kafka-consumer-groups --delete.
func (t *test) forgetReaders() {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	forgotten, err := t.real.kafka.Forget(ctx, func(group string) bool { return !strings.HasSuffix(group, "-outbound") })
	if err != nil || !slices.Contains(forgotten, "tributary-inbox") || slices.Contains(forgotten, "tributary-whatsapp-outbound") {
		t.Fatalf("%q are forgotten: %v", forgotten, err)
	}
}
