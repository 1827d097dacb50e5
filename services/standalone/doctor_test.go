package standalone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/store/mongo/mongofake"
	"github.com/tributaryhq/tributary/services/admin"
)

// examined runs the doctor on a data directory and returns what it found by check.
func examined(t *testing.T, dir string, environ ...string) (status int, found map[string]diagnosis) {
	t.Helper()
	var out, errOut bytes.Buffer
	status = Main([]string{"doctor", "--json"}, append([]string{"TRIBUTARY_DATA_DIR=" + dir}, environ...), &out, &errOut)
	var r struct {
		OK       bool        `json:"ok"`
		Findings []diagnosis `json:"findings"`
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.OK != (status == 0) {
		t.Fatalf("%d %v: %s %s", status, err, &out, &errOut)
	}
	found = map[string]diagnosis{}
	for _, f := range r.Findings {
		if !f.OK && f.Do == "" {
			t.Errorf("%s: nothing is said to do about %q", f.Check, f.Detail)
		}
		found[f.Check] = f
	}
	return status, found
}

func startedOnce(t *testing.T, dir string) {
	t.Helper()
	if err := prove(t, (&config.Config{}).With(&settings{DataDir: dir}, &admin.Bootstrap{})); err != nil {
		t.Fatal(err)
	}
}

// ensured is a MongoDB with the indexes that the job makes, after a change, as the environment names it.
func ensured(t *testing.T, change func(*mongofake.Server, mongofake.Indexes)) (environ []string) {
	t.Helper()
	s, indexes := mongofake.New(t), mongofake.Indexes{}
	s.Answer(indexes.Answer)
	environ = []string{"TRIBUTARY_STORE_URL=" + s.URI()}
	job := append(environ, "TRIBUTARY_DATA_DIR="+t.TempDir())
	if status, _, errOut := execute(job, "store", "ensure"); status != 0 {
		t.Fatalf("store ensure: %s", errOut)
	}
	if change != nil {
		change(s, indexes)
	}
	return environ
}

func TestTheDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	nothing := func(*testing.T, string) []string { return nil }
	set := func(environ ...string) func(*testing.T, string) []string {
		return func(*testing.T, string) []string { return environ }
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string) []string // returns the environment
		check   string                                  // that fails; empty: none
		says    string
	}{
		"nothing has run yet":     {nothing, "", ""},
		"a data directory in use": {func(t *testing.T, dir string) []string { startedOnce(t, dir); return nil }, "", ""},
		"an unknown setting":      {set("TRIBUTARY_HTTP_ADR=:1"), "configuration", "TRIBUTARY_HTTP_ADR"},
		"another key": {func(t *testing.T, dir string) []string {
			startedOnce(t, dir)
			return []string{"TRIBUTARY_ENCRYPTION_KEY=" + newKey()}
		}, "encryption key", "sealed with key"},
		"a lost key": {func(t *testing.T, dir string) []string {
			startedOnce(t, dir)
			if err := os.Remove(filepath.Join(dir, "encryption.key")); err != nil {
				t.Fatal(err)
			}
			return nil
		}, "encryption key", "encryption.key is not there"},
		"no Kafka":      {set("TRIBUTARY_KAFKA_BROKERS=127.0.0.1:1"), "kafka", "127.0.0.1:1"},
		"no Redis":      {set("TRIBUTARY_REDIS_URL=redis://127.0.0.1:1"), "redis", "127.0.0.1:1"},
		"no MongoDB":    {set("TRIBUTARY_STORE_URL=mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=100"), "store", ""},
		"no blob store": {set("TRIBUTARY_BLOB_URL=ftp://x"), "blob store", "ftp"},
		"no topics": {func(t *testing.T, _ string) []string {
			b, err := embedded.StartBroker(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = b.Close() })
			return []string{"TRIBUTARY_KAFKA_BROKERS=" + strings.Join(b.Addrs(), ",")}
		}, "kafka topics", "tributary.inbound is missing"},
		"topics of another size": {func(t *testing.T, _ string) []string {
			b := bustest.New(t)
			return []string{"TRIBUTARY_KAFKA_BROKERS=" + strings.Join(b.Broker.Config().Brokers, ",")}
		}, "kafka topics", "partitions and should have 48"},
		"a MongoDB with all indexes": {func(t *testing.T, _ string) []string { return ensured(t, nil) }, "", ""},
		"a MongoDB that lacks an index": {func(t *testing.T, _ string) []string {
			return ensured(t, func(s *mongofake.Server, indexes mongofake.Indexes) {
				if !indexes.Drop("conversations", "by_due") {
					t.Fatalf("no such index: %v", indexes["conversations"])
				}
			})
		}, "store indexes", "conversations.by_due"},
		"a MongoDB without collections": {func(t *testing.T, _ string) []string {
			return ensured(t, func(_ *mongofake.Server, indexes mongofake.Indexes) { clear(indexes) })
		}, "store indexes", "conversations."},
		"a MongoDB whose clock is ahead": {func(t *testing.T, _ string) []string {
			return ensured(t, func(s *mongofake.Server, _ mongofake.Indexes) { s.SetSkew(time.Hour) })
		}, "clock of store", "differs by -"},
		"a MongoDB whose clock is behind": {func(t *testing.T, _ string) []string {
			return ensured(t, func(s *mongofake.Server, _ mongofake.Indexes) { s.SetSkew(-time.Minute) })
		}, "clock of store", "more than 2s"},
		"a server beside": {func(t *testing.T, _ string) []string {
			r, err := embedded.StartRedis(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
			return []string{"TRIBUTARY_REDIS_URL=" + r.URL()}
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			status, found := examined(t, dir, c.prepare(t, dir)...)
			if (status == 0) != (c.check == "") {
				t.Errorf("exit status %d: %+v", status, found)
			}
			for name, f := range found {
				if f.OK == (name == c.check) {
					t.Errorf("%+v", f)
				}
			}
			if c.check != "" && !strings.Contains(found[c.check].Detail, c.says) {
				t.Errorf("%q does not say %q", found[c.check].Detail, c.says)
			}
		})
	}
}

// skewed is a server whose clock differs from ours.
type skewed struct {
	by  time.Duration
	err error
}

func (s skewed) Time(context.Context) (time.Time, error) { return time.Now().Add(s.by), s.err }

func TestTheDoctorComparesClocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of skewed
		ok bool
	}{
		"together": {skewed{}, true}, "ahead": {skewed{by: time.Hour}, false}, "behind": {skewed{by: -time.Hour}, false},
		"no answer": {skewed{err: errors.New("away")}, false},
	} {
		if f := examineClock(t.Context(), "clock", c.of); f.OK != c.ok || !f.OK && f.Do == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestTheDoctorSpeaksToPeople(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	status := Main([]string{"doctor"}, []string{"TRIBUTARY_DATA_DIR=" + t.TempDir(), "TRIBUTARY_BLOB_URL=ftp://x"}, &out, &errOut)
	for _, want := range []string{"ok    configuration", "FAIL  blob store", "do: let TRIBUTARY_BLOB_URL"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said:\n%s", want, &out)
		}
	}
	if status != 1 || !strings.Contains(errOut.String(), "1 of ") {
		t.Errorf("%d %s", status, &errOut)
	}
}
