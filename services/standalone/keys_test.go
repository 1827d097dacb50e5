package standalone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/admin"
)

// prove does with the keys what a start does.
func prove(t *testing.T, cfg *config.Config) error {
	t.Helper()
	if err := folders(cfg); err != nil {
		return err
	}
	if err := keys(t.Context(), cfg); err != nil {
		return err
	}
	all, err := cfg.Keys()
	if err != nil {
		return err
	}
	sealer, err := auth.NewSealer(all...)
	if err != nil {
		return err
	}
	db, err := run.OpenStore(t.Context(), cfg.StoreURL)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Require(t.Context(), directory.Specs...); err != nil {
		return err
	}
	return directory.ProveKey(t.Context(), db, sealer)
}

// TestTheKeyFile: made at the first start and never again, rotated in place.
func TestTheKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	environ := []string{"TRIBUTARY_DATA_DIR=" + dir}
	path := filepath.Join(dir, "encryption.key")
	lines := func() []string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(b))
	}
	start := func() error { return prove(t, (&config.Config{}).With(&settings{DataDir: dir}, &admin.Bootstrap{})) }
	if err := start(); err != nil {
		t.Fatal(err)
	}
	first := lines()[0]
	if err := start(); err != nil || lines()[0] != first {
		t.Fatalf("the second start: %v", err)
	}
	if err := prove(t, (&config.Config{EncryptionKey: newKey()}).With(&settings{DataDir: dir})); err == nil || !strings.Contains(err.Error(), "sealed with key") {
		t.Errorf("another key is taken: %v", err)
	}
	status, _, errOut := execute(environ, "keys", "generate")
	if got := lines(); status != 0 || len(got) != 2 || got[1] != first || got[0] == first {
		t.Fatalf("generate: %d %s, %d keys", status, errOut, len(got))
	}
	if err := start(); err != nil {
		t.Errorf("between the keys: %v", err)
	}
	for range 2 {
		if status, out, errOut := execute(environ, "keys", "rotate"); status != 0 || !strings.Contains(out, "done") || len(lines()) != 1 || lines()[0] == first {
			t.Errorf("rotate: %d %s %s", status, out, errOut)
		}
	}
	if err := start(); err != nil {
		t.Errorf("with the new key alone: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "give-up-lost") {
		t.Errorf("the key file is lost: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("another key was made in the place of the lost one")
	}
	for _, args := range [][]string{{"keys", "generate"}, {"keys", "rotate", "--give-up-lost"}} {
		if status, out, errOut := execute(environ, args...); status != 0 {
			t.Errorf("%v: %d %s %s", args, status, out, errOut)
		}
	}
	if err := start(); err != nil {
		t.Errorf("after the key was given up: %v", err)
	}
}

func TestKeysCommandIsClear(t *testing.T) {
	t.Parallel()
	environ := []string{"TRIBUTARY_DATA_DIR=" + t.TempDir()}
	for name, args := range map[string][]string{"no verb": {"keys"}, "another": {"keys", "list"}, "no key": {"keys", "rotate"}} {
		if status, _, errOut := execute(environ, args...); status != 1 || errOut == "" {
			t.Errorf("%s: %d %q", name, status, errOut)
		}
	}
}
