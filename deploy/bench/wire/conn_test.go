package wire_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/wire"
)

func request(path, body string) []byte {
	return []byte("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + string(rune('0'+len(body))) + "\r\n\r\n" + body)
}

// Every way in which a server may end an answer, one after the other on one connection.
func TestAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 20_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/sized":
			_, _ = w.Write(append([]byte("got "), b...))
		case "/chunked":
			for range 3 {
				_, _ = w.Write(b)
				_ = http.NewResponseController(w).Flush()
			}
		case "/long":
			_, _ = w.Write([]byte(long))
		case "/last":
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusTeapot)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(s.Close)
	c, err := wire.New(s.URL, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, want := range []struct {
		path   string
		status int
		body   string
	}{{"/sized", 200, "got abc"}, {"/chunked", 200, "abcabcabc"}, {"/long", 200, long}, {"/last", 418, ""}, {"/empty", 204, ""}, {"/sized", 200, "got abc"}} {
		status, body, err := c.Do(request(want.path, "abc"))
		if err != nil || status != want.status || string(body) != want.body {
			t.Errorf("%s: %d %.40q %v", want.path, status, body, err)
		}
	}
}

func TestABrokenConnectionIsDialledAgain(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	t.Cleanup(s.Close)
	c, err := wire.New(s.URL, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.Do(request("/", "a")); err != nil {
		t.Fatal(err)
	}
	s.CloseClientConnections()
	if _, _, err := c.Do(request("/", "a")); err == nil {
		t.Error("a call on a connection that is gone was answered")
	}
	if status, _, err := c.Do(request("/", "a")); err != nil || status != 200 {
		t.Errorf("%d, %v", status, err)
	}
	if _, err := wire.New("no url", time.Second); err == nil {
		t.Error("no URL was taken")
	}
}
