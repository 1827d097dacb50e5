package standalone

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/mongo/mongofake"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// What opens the data directory of the earlier version, and nothing else.
const (
	earlierAPIKey        = "trb_bvqtqwef4wdzg16a_37do0FcvtpJohRAAKzaKTFskWttm-GnO-jm6qNAPIqQ"
	earlierEncryptionKey = "/3RwXZj7I9JoTcono6Rz3NNt82cu0wWZhWAdBwm6Mug="
)

// earlierData unpacks the data directory of the earlier version and returns the conversations in it.
func earlierData(t *testing.T) (dir string, all map[string]json.RawMessage) {
	t.Helper()
	dir = t.TempDir()
	packed, err := os.Open(filepath.Join("testdata", "earlier", "tributary.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tributary.db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "encryption.key"), []byte(earlierEncryptionKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT id, doc FROM conversations`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all = map[string]json.RawMessage{}
	for rows.Next() {
		var id, doc string
		if err := rows.Scan(&id, &doc); err != nil {
			t.Fatal(err)
		}
		all[id] = json.RawMessage(doc)
	}
	if err := rows.Err(); err != nil || len(all) != 24 {
		t.Fatalf("%d conversations, %v", len(all), err)
	}
	return dir, all
}

// said is what a command prints, read while it runs.
type said struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// freeAddr is an address that nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestDataOfAnEarlierVersion: the single binary starts on a data directory of commit 80d3d80, and its lists have every conversation.
func TestDataOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	dir, all := earlierData(t)
	addr, out, log := freeAddr(t), &said{}, &said{}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- start(ctx, streams{out: out, err: log, environ: []string{
			"TRIBUTARY_DATA_DIR=" + dir, "TRIBUTARY_HTTP_ADDR=" + addr, "TRIBUTARY_ADMIN_ADDR=" + freeAddr(t), "TRIBUTARY_DEMO=off",
		}}, nil)
	}()
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(out.String(), "tributary is ready"); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-done:
			t.Fatalf("it ended: %v\n%s", err, log)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is not ready: %s", log)
		}
	}
	if !strings.Contains(log.String(), "documents of an earlier version are written anew") {
		t.Errorf("it does not say that it migrates: %s", log)
	}
	c := &client{url: "http://" + addr, key: earlierAPIKey}
	for query, holds := range map[string]func(*record.Conversation) bool{
		"":                      func(*record.Conversation) bool { return true },
		"view=unassigned":       func(c *record.Conversation) bool { return c.Status == record.Open && c.AssigneeID == "" && !c.Blocked },
		"view=unresponded":      func(c *record.Conversation) bool { return c.Status == record.Open && c.Unresponded && !c.Blocked },
		"view=resolved":         func(c *record.Conversation) bool { return c.Status == record.Closed },
		"view=snoozed":          func(c *record.Conversation) bool { return c.Status == record.Snoozed },
		"view=blocked":          func(c *record.Conversation) bool { return c.Blocked },
		"tag=vip":               func(c *record.Conversation) bool { return slices.Contains(c.Tags, "vip") },
		"channel_type=telegram": func(c *record.Conversation) bool { return c.ChannelType == "telegram" },
		"sort=-waiting_since":   func(c *record.Conversation) bool { return c.Status == record.Open && !c.WaitingSince.IsZero() },
	} {
		var want, got []string
		for id, raw := range all {
			var doc record.Conversation
			if err := json.Unmarshal(raw, &doc); err != nil {
				t.Fatal(err)
			}
			if holds(&doc) {
				want = append(want, id)
			}
		}
		var page struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		if err := c.call(ctx, "GET", "/v1/conversations?limit=200&"+query, "", nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Data {
			got = append(got, d.ID)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%q: %s", query, diff)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestStoreMigrate: documents of the earlier version in a store that is a server are found by the doctor, migrated by the job, and listed;
// the second time there is nothing to do.
func TestStoreMigrate(t *testing.T) {
	t.Parallel()
	_, all := earlierData(t)
	s := mongofake.New(t)
	s.Answer(mongofake.NewEngine().Answer)
	environ := []string{"TRIBUTARY_STORE_URL=" + s.URI(), "TRIBUTARY_DATA_DIR=" + t.TempDir()}
	if status, _, errOut := execute(environ, "store", "migrate"); status != 1 || !strings.Contains(errOut, "tributary store ensure") {
		t.Errorf("without indexes: %d %s", status, errOut)
	}
	if status, _, errOut := execute(environ, "store", "ensure"); status != 0 {
		t.Fatal(errOut)
	}
	db, err := run.OpenStore(t.Context(), s.URI())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Require(t.Context(), record.Specs...); err != nil {
		t.Fatal(err)
	}
	var tenant string
	for id, raw := range all {
		op := store.Op{Kind: store.Insert, Collection: record.ConversationSpec.Name, ID: id, JSON: raw}
		if err := db.Batch(t.Context(), []store.Op{op})[0]; err != nil {
			t.Fatal(err)
		}
		var m store.Meta
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		tenant = m.Tenant
	}
	if f := examineLists(t.Context(), db); f.OK || !strings.Contains(f.Do, "tributary store migrate") || !strings.Contains(f.Detail, "24 documents of conversations") {
		t.Errorf("the doctor says %+v", f)
	}
	if status, out, errOut := execute(environ, "store", "migrate"); status != 0 || !strings.Contains(out, "conversations: 24 documents are done") {
		t.Errorf("%d %s %s", status, out, errOut)
	}
	if status, out, errOut := execute(environ, "store", "migrate"); status != 0 || !strings.Contains(out, "conversations: every document is of this version") {
		t.Errorf("again: %d %s %s", status, out, errOut)
	}
	if f := examineLists(t.Context(), db); !f.OK {
		t.Errorf("the doctor says %+v", f)
	}
	states := []record.State{record.Unassigned, record.Assigned, record.Asleep, record.Ended, record.Barred}
	page, err := store.NewCollection[record.Conversation](db, record.ConversationSpec).List(t.Context(), store.ListQuery{
		Tenant: tenant, Limit: 200, Groups: [][]string{record.ScopeLists(record.Messages, []record.Scope{record.Everyone}, states)},
	}, nil)
	if err != nil || len(page.Docs) != len(all) {
		t.Errorf("%d are listed, %v", len(page.Docs), err)
	}
	for _, c := range page.Docs {
		want := record.Conversation{}
		if err := json.Unmarshal(all[c.ID], &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fmt.Sprint(want.Seq, want.Status, want.Tags), fmt.Sprint(c.Seq, c.Status, c.Tags)); diff != "" {
			t.Errorf("%s: %s", c.ID, diff)
		}
	}
}
