package session_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// reconfigure changes a channel as service admin does, and tells all replicas.
func (w *world) reconfigure(t *testing.T, id string, change func(*directory.Channel)) {
	t.Helper()
	spec := directory.Channels
	spec.Facts = false
	doc, err := store.NewCollection[directory.Channel](w.env.DB, spec).Update(t.Context(), id, func(c *directory.Channel) error {
		change(c)
		c.Version++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now := event.At(time.Now())
	err = w.env.Bus.Publish(t.Context(), event.Record{Topic: event.TopicConfig, Key: id, Event: event.New(event.DeriveID("evt", id, now.String()), event.ConfigChanged,
		"admin", tenant, id, now, event.Config{Entity: directory.EntityChannel, ID: id, Version: doc.Version, Deleted: doc.Deleted})})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSocketsPollsAndTransfersEndWithTheirChannel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*directory.Channel)
		code   websocket.StatusCode
	}{
		"deleted":            {func(c *directory.Channel) { c.Deleted, c.Enabled = true, false }, 4403},
		"switched off":       {func(c *directory.Channel) { c.Enabled = false }, 4403},
		"closed to the page": {func(c *directory.Channel) { c.Settings["allowed_origins"] = []any{"https://other.example"} }, 4403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := w.channel(t, nil)
			b := visit(t, 0, id, frame{})
			l, _ := b.connect(0)
			polled, uploaded := make(chan int, 1), make(chan int, 1)
			go func() { polled <- b.try("GET", "/poll?after=0&wait=30", nil, "") }()
			body, slow := io.Pipe()
			go func() {
				uploaded <- b.try("POST", "/files", body, "multipart/form-data; boundary=b")
				_ = slow.Close()
			}()
			if _, err := io.WriteString(slow, "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n\r\n"+strings.Repeat("x", 4096)); err != nil {
				t.Fatal(err)
			}
			w.reconfigure(t, id, c.change)
			l.wantEnd(c.code)
			for what, status := range map[string]chan int{"poll": polled, "upload": uploaded} {
				select {
				case got := <-status:
					if got == http.StatusOK || got == http.StatusCreated {
						t.Errorf("%s: %d", what, got)
					}
				case <-time.After(patient):
					t.Errorf("the %s goes on", what)
				}
			}
		})
	}
}

// try makes a call of the page whose answer may not come; 0 says that it did not.
func (b *browser) try(method, path string, body io.Reader, contentType string) int {
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	must(err)
	req.Header.Set("Authorization", "Bearer "+b.token)
	req.Header.Set("Origin", shop)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
