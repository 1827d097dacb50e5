package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestRestoredIntoEmptyServers does what docs/guide/backup.md says and loses everything: the store, its key and the files come back from
// the backup, broker and Redis are empty. What the backup has is there and works; what came later and is told again is taken.
func TestRestoredIntoEmptyServers(t *testing.T) {
	each(t, func(t *test) {
		const peer = "4915112300001"
		for i := range 3 {
			if s := t.post(peer, fmt.Sprintf("wamid.before-%d", i), fmt.Sprintf("before %d", i)); s != 200 {
				t.Fatalf("webhook %d", s)
			}
		}
		var c *conversation
		t.eventually("the conversation is there", func() bool { c = t.find(peer); return c != nil && len(t.everything(c.ID)) == 3 })
		t.answered(c.ID, "an answer before", "")
		file := t.upload("photo.png", pixel)
		t.answered(c.ID, "a photo before", file)
		cursor := t.cursor()
		want := t.texts(c.ID)

		const busy = "4915112300009" // writes while the backup is taken
		told := t.tell(busy)
		t.eventually("somebody writes", func() bool { return t.find(busy) != nil })
		b := t.backup()
		refs := told()
		if s := t.post(peer, "wamid.after", "after the backup"); s != 200 {
			t.Fatalf("webhook %d", s)
		}
		t.eventually("what came after the backup is there", func() bool { return t.missing(peer, []string{"wamid.after"}) == 0 })
		t.lose()
		t.restore(b)

		t.healthy()
		if have := t.texts(c.ID); !slices.Equal(have, want) {
			t.Errorf("restored: %q, backed up: %q", have, want)
		}
		t.gapless(c.ID)
		if have := t.download(file); !bytes.Equal(have, pixel) {
			t.Errorf("the file has %d bytes, it had %d", len(have), len(pixel))
		}
		// The event log of another broker began anew: a position in the former is no position in it.
		err := t.call(t.Context(), "GET", "/v1/conversations?changed_after="+cursor, "", nil, nil)
		if gone := err != nil && strings.Contains(err.Error(), "resync"); gone != t.separate {
			t.Errorf("a position of before: %v", err)
		}
		t.eventually("the webhook is taken with the secret of before", func() bool { return t.post(peer, "wamid.after", "after the backup") == 200 })
		t.eventually("what was lost is told again and there once", func() bool { return t.missing(peer, []string{"wamid.after"}) == 0 })
		for _, ref := range refs {
			t.eventually(ref+" is told again", func() bool { return t.post(busy, ref, "text "+ref) == 200 })
		}
		t.eventually("what came meanwhile is there once", func() bool { return t.missing(busy, refs) == 0 })
		t.gapless(t.find(busy).ID)
		t.answered(c.ID, "an answer after", "")
		t.gapless(c.ID)
		if sent := t.accepted(); len(sent) != 1 || sent["an answer after"] != 1 {
			t.Errorf("after the restore the provider was sent %v", sent)
		}
	})
}

// TestTheStoreIsRestoredBesideItsKafka: an earlier store beside a Kafka that still has the records. Groups that begin again with the
// oldest record bring everything back, once; those that send go on where they were, and send nothing twice.
func TestTheStoreIsRestoredBesideItsKafka(t *testing.T) {
	if !outside() {
		t.Skip("needs a Kafka that keeps what was read: make test-servers")
	}
	each(t, func(t *test) {
		if !t.separate {
			t.Skip("the broker is in the process")
		}
		const peer = "4915112300002"
		if s := t.post(peer, "wamid.first", "first"); s != 200 {
			t.Fatalf("webhook %d", s)
		}
		var c *conversation
		t.eventually("the conversation is there", func() bool { c = t.find(peer); return c != nil })
		t.answered(c.ID, "an answer before", "")
		b := t.backup()
		var refs []string
		for i := range 20 {
			refs = append(refs, fmt.Sprintf("wamid.later-%d", i))
			if s := t.post(peer, refs[i], "text "+refs[i]); s != 200 {
				t.Fatalf("webhook %d", s)
			}
		}
		t.eventually("what came after the backup is there", func() bool { return t.missing(peer, refs) == 0 })
		t.halt()
		if err := t.real.restoreStore(t.platform, b); err != nil {
			t.Fatal(err)
		}
		t.forgetReaders()
		if err := t.start(); err != nil {
			t.Fatal(err)
		}
		t.register()
		t.eventually("what the store had lost is there again", func() bool { return t.missing(peer, append(refs, "wamid.first")) == 0 })
		t.gapless(c.ID)
		t.answered(c.ID, "an answer after", "")
		if sent := t.accepted(); len(sent) != 1 || sent["an answer after"] != 1 {
			t.Errorf("after the restore the provider was sent %v", sent)
		}
	})
}

// pixel is a PNG of one pixel.
var pixel = func() []byte {
	b, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
	if err != nil {
		panic(err)
	}
	return b
}()

// answered sends a text, or a file, and waits until it was read.
func (t *test) answered(id, text, file string) {
	t.Helper()
	body := map[string]any{"text": text}
	if file != "" {
		body["attachment_ids"] = []string{file}
	}
	var m message
	t.do("POST", "/v1/conversations/"+id+"/messages", text, body, &m)
	t.eventually(text+" is read", func() bool {
		var now message
		return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "read"
	})
}

func (t *test) texts(id string) (out []string) {
	for _, m := range t.everything(id) {
		out = append(out, fmt.Sprintf("%d %s %s", m.Seq, m.Direction, m.Text))
	}
	return out
}

func (t *test) cursor() string {
	t.Helper()
	var list struct {
		Cursor string `json:"change_cursor"`
	}
	t.do("GET", "/v1/conversations?updated_since=2020-01-01T00:00:00Z", "", nil, &list)
	if list.Cursor == "" {
		t.Fatal("the list has no position")
	}
	return list.Cursor
}

// raw makes a call whose body is no JSON and returns the answer's.
func (t *test) raw(method, path, contentType string, body io.Reader) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, t.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+t.key)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 400 {
		t.Fatalf("%s %s: %s %v %.300s", method, path, resp.Status, err, b)
	}
	return b
}

func (t *test) upload(name string, content []byte) (id string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		t.Fatal(err)
	}
	var made struct{ ID string }
	if err := json.Unmarshal(t.raw("POST", "/v1/attachments", form.FormDataContentType(), &b), &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func (t *test) download(id string) []byte {
	t.Helper()
	return t.raw("GET", "/v1/attachments/"+id, "", nil)
}

// healthy asks the doctor. On the tests' servers it misses partitions, of which they have fewer.
func (t *test) healthy() {
	t.Helper()
	out, err := t.command("doctor", "--json")
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	var said struct {
		Findings []struct {
			Check, Detail string
			OK            bool
		}
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	asked := map[string]bool{}
	for _, f := range said.Findings {
		if asked[f.Check] = true; !f.OK && f.Check != "kafka topics" {
			t.Errorf("doctor: %s: %s", f.Check, f.Detail)
		}
	}
	if !asked["encryption key"] || !asked["store documents"] || !asked["blob store"] {
		t.Errorf("the doctor did not look after everything: %s", out)
	}
}
