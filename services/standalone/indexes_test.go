package standalone

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store/mongo/mongofake"
	"github.com/tributaryhq/tributary/services/all"
)

// execute runs a command line and returns its exit status and what it printed.
func execute(environ []string, args ...string) (status int, out, errOut string) {
	var o, e bytes.Buffer
	status = Main(args, environ, &o, &e)
	return status, o.String(), e.String()
}

// TestStoreEnsure: the job makes the collections of all services, and may run twice.
func TestStoreEnsure(t *testing.T) {
	t.Parallel()
	s := mongofake.New(t)
	var made []string
	s.Answer(func(c mongofake.Command) bson.D {
		if c.Name == "create" {
			made = append(made, c.Text("create"))
		}
		return nil
	})
	for name, url := range map[string]string{"mongodb": s.URI(), "sqlite": "sqlite:" + filepath.Join(t.TempDir(), "store.db")} {
		environ := []string{"TRIBUTARY_STORE_URL=" + url, "TRIBUTARY_DATA_DIR=" + t.TempDir()}
		for range 2 {
			status, out, errOut := execute(environ, "store", "ensure")
			if status != 0 || !strings.Contains(out, "collections are there") {
				t.Errorf("%s: %d %s %s", name, status, out, errOut)
			}
		}
	}
	joined := strings.Join(made, " ")
	for _, spec := range run.Collections(all.Services()...) {
		if !strings.Contains(joined, spec.Name) {
			t.Errorf("%s is not made", spec.Name)
		}
	}
	for name, args := range map[string][]string{"no verb": {"store"}, "another": {"store", "drop"}, "an argument": {"store", "ensure", "x"}} {
		if status, _, errOut := execute(nil, args...); status != 1 || errOut == "" {
			t.Errorf("%s: %d %q", name, status, errOut)
		}
	}
}
