package inbox_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// lasting are all requests that last, as clients that are slow on purpose make them. Each returns what is closed when the server has
// ended the request.
var lasting = map[string]func(w *tenant, token string) <-chan struct{}{
	"stream": func(w *tenant, token string) <-chan struct{} {
		e := w.listen(w.replicas[0], token, "")
		e.until("ready")
		ended := make(chan struct{})
		go func() {
			for range e.events {
			}
			close(ended)
		}()
		return ended
	},
	"socket": func(w *tenant, token string) <-chan struct{} {
		conn, _, err := websocket.Dial(w.Context(), "ws"+strings.TrimPrefix(w.served.URL, "http")+"/v1/events/ws", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
		w.ok(err)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				if _, _, err := conn.Read(context.Background()); err != nil {
					_ = conn.CloseNow()
					return
				}
			}
		}()
		return ended
	},
	"upload": func(w *tenant, token string) <-chan struct{} {
		front, reads, ended := w.watched()
		body, slow := io.Pipe()
		req := must(http.NewRequestWithContext(w.Context(), "POST", front.URL+"/v1/attachments", body))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		go func() {
			resp, err := front.Client().Do(req)
			if err == nil {
				if resp.StatusCode == http.StatusCreated {
					w.Error("a file was taken that nobody may upload")
				}
				_ = resp.Body.Close()
			}
			_ = slow.Close()
		}()
		_, err := io.WriteString(slow, "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nthe beginning")
		w.ok(err)
		<-reads
		return ended
	},
	"download": func(w *tenant, token string) <-chan struct{} {
		const size = 24 << 20 // more than the buffers of both ends take
		id := w.uploadAs(token, "large.txt", bytes.Repeat([]byte("x"), size)).want(201).text("id")
		front, _, ended := w.watched()
		req := must(http.NewRequestWithContext(w.Context(), "GET", front.URL+"/v1/attachments/"+id, nil))
		req.Header.Set("Authorization", "Bearer "+token)
		resp := must(front.Client().Do(req))
		w.Cleanup(func() { _ = resp.Body.Close() })
		must(io.CopyN(io.Discard, resp.Body, 1))
		select {
		case <-ended:
			w.Error("the file went out before anything changed")
		default:
		}
		return ended
	},
}

// watched serves one request as the replica does. It closes reads when the handler begins to read the body, and ended when the
// handler has returned.
func (w *tenant) watched() (front *httptest.Server, reads, ended chan struct{}) {
	reads, ended = make(chan struct{}), make(chan struct{})
	handler := w.served.Config.Handler
	front = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer close(ended)
		r.Body = &noticed{ReadCloser: r.Body, read: sync.OnceFunc(func() { close(reads) })}
		handler.ServeHTTP(rw, r)
	}))
	w.Cleanup(front.Close)
	return front, reads, ended
}

// noticed is a body that notices when it is read.
type noticed struct {
	io.ReadCloser
	read func()
}

func (n *noticed) Read(p []byte) (int, error) {
	n.read()
	return n.ReadCloser.Read(p)
}

// cutWithin is more than the second in which a change takes effect, for busy machines, and less than the grace time of a body, and
// than the time for which a refused one is drained.
const cutWithin = 4 * time.Second

// Whatever was allowed at a start ends when it is not allowed any more.
func TestWhateverLastsEndsWithWhatItStandsOn(t *testing.T) {
	t.Parallel()
	for name, begin := range lasting {
		for what, tc := range map[string]func(w *tenant) (token string, change func()){
			"a revoked key": func(w *tenant) (string, func()) {
				key := w.apiKey("", auth.All...)
				id, _ := auth.SplitAPIKey(key)
				return key, func() {
					alter(w, directory.APIKeys, "key_"+id, directory.EntityAPIKey, func(k *directory.APIKey) { k.Revoked = true; k.Version++ })
				}
			},
			"a key that loses its scopes and ends": func(w *tenant) (string, func()) {
				key := w.apiKey("", auth.All...)
				id, _ := auth.SplitAPIKey(key)
				return key, func() {
					alter(w, directory.APIKeys, "key_"+id, directory.EntityAPIKey, func(k *directory.APIKey) {
						k.KeyEnds = event.At(time.Now().Add(-time.Second))
						k.Version++
					})
				}
			},
			"a disabled user": func(w *tenant) (string, func()) {
				token, agent := w.user("standing", "owner", "")
				return token, func() {
					alter(w, directory.Users, directory.UserOf(agent), directory.EntityUser, func(u *directory.User) { u.Disabled = true; u.Version++ })
				}
			},
			"an ended session": func(w *tenant) (string, func()) {
				token, agent := w.user("standing", "owner", "")
				return token, func() {
					alter(w, directory.Users, directory.UserOf(agent), directory.EntityUser, func(u *directory.User) { u.Sessions++; u.Version++ })
				}
			},
		} {
			t.Run(name+" of "+what, func(t *testing.T) {
				t.Parallel()
				w := newTenant(t)
				token, change := tc(w)
				ended := begin(w, token)
				change()
				select {
				case <-ended:
				case <-time.After(cutWithin):
					t.Error("it goes on")
				}
			})
		}
	}
}

// A stream goes on with less when its user's role or unit sees less.
func TestAStreamNarrowsWithTheRoleAndTheUnit(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.settings(func(s *directory.Settings) { s.EnforceOUIsolation = true })
	north := w.unit("north")
	w.opensElsewhere(event.SMS)
	for name, change := range map[string]func(u *directory.User){
		"role": func(u *directory.User) { u.Role = "agent" }, "unit": func(u *directory.User) { u.OUID = north },
	} {
		token, agent := w.user("narrow "+name, "supervisor", "")
		e := w.listen(w.replicas[0], token, "")
		e.until("ready")
		before := w.wrote(event.SMS, "before "+name, "x")
		for e.until("message.created").conversation() != before.ConversationID {
		}
		alter(w, directory.Users, directory.UserOf(agent), directory.EntityUser, func(u *directory.User) { change(u); u.Version++ })
		w.served = w.replicas[0]
		deadline := time.Now().Add(time.Minute)
		for n := 0; ; n++ { // what is written right after the change may still be seen; soon nothing is
			hidden := w.wrote(event.SMS, "after "+name, strings.Repeat("y", n+1))
			w.settled()
			if !e.hears(hidden.ConversationID, 300*time.Millisecond) {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: the stream still shows what its user may not see", name)
				break
			}
		}
	}
}

// hears reports whether an event of a conversation comes in time.
func (e *ear) hears(conversation string, within time.Duration) bool {
	timeout := time.After(within)
	for {
		select {
		case h := <-e.events:
			if h.conversation() == conversation {
				return true
			}
		case <-timeout:
			return false
		}
	}
}

// alter changes a document of service admin, and tells the directory.
func alter[T any, P store.Document[T]](w *tenant, spec store.Spec, id, entity string, change func(*T)) {
	w.Helper()
	_, err := store.NewCollection[T, P](w.db, spec).Update(w.Context(), id, func(d *T) error { change(d); return nil })
	w.ok(err)
	w.dir.Changed(event.Config{Entity: entity, ID: id})
}
