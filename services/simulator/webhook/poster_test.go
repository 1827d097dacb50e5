package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// transport answers without a network, so that time is the bubble's.
type transport func(path string) (int, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	status, err := f(r.URL.Path)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func post(key, path string, after time.Duration) Post {
	return Post{Key: key, After: after, Make: func() Call { return Call{URL: "http://gateway.example/" + path} }}
}

// during runs f with a poster, inside a bubble whose time moves only when everybody waits.
func during(t *testing.T, answer transport, f func(p *Poster)) {
	synctest.Test(t, func(t *testing.T) {
		p := New(&http.Client{Transport: answer}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		f(p)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestSentWhenDueAndInOrderOfTime(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	start := time.Time{}
	during(t, func(path string) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf("%s at %s", path, time.Since(start)))
		return 200, nil
	}, func(p *Poster) {
		start = time.Now()
		for _, ms := range []int{400, 50, 150} {
			if err := p.Post(post("", fmt.Sprint(ms), time.Duration(ms)*time.Millisecond)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second) // the bubble's
		synctest.Wait()
		if s := p.Stats(); s.Taken != 3 || s.Pending != 0 {
			t.Errorf("%+v", s)
		}
	})
	if got := strings.Join(seen, ", "); got != "/50 at 50ms, /150 at 150ms, /400 at 400ms" {
		t.Error(got)
	}
}

// TestAKeyHoldsOnlyItself: what fails is sent again before anything else of its key, and others do not wait.
func TestAKeyHoldsOnlyItself(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var taken []string
	tries := 0
	during(t, func(path string) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if path == "/a1" {
			if tries++; tries < 4 {
				return 500, nil
			}
		}
		taken = append(taken, path)
		return 200, nil
	}, func(p *Poster) {
		for _, x := range []string{"a1", "a2", "a3", "b1"} {
			if err := p.Post(post(x[:1], x, 0)); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		if n := p.Waiting("a"); n != 3 {
			t.Errorf("%d wait", n)
		}
		time.Sleep(time.Minute) // the bubble's
		synctest.Wait()
		if len(p.busy) != 0 || p.Waiting("") != 0 {
			t.Errorf("keys left: %v", p.busy)
		}
	})
	if got := strings.Join(taken, " "); got != "/b1 /a1 /a2 /a3" {
		t.Error(got)
	}
}

func TestGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	during(t, func(string) (int, error) { return 0, errors.New("nobody there") }, func(p *Poster) {
		if r := p.Deliver(context.Background(), post("k", "x", 0)); r.OK() || r.Error == "" {
			t.Errorf("delivered: %+v", r)
		}
		time.Sleep(time.Hour) // the bubble's
		synctest.Wait()
		if s := p.Stats(); s.Abandoned != 1 || s.Refused != maxTries || s.Pending != 0 || len(p.busy) != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestP13_StopsWithWorkLeft: a stop waits for nobody, neither what is under way nor what is due later.
func TestP13_StopsWithWorkLeft(t *testing.T) {
	t.Parallel()
	during(t, func(string) (int, error) { return 503, nil }, func(p *Poster) {
		for i := range 1000 {
			if err := p.Post(post("", fmt.Sprint(i), time.Duration(i)*time.Second)); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
	})
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	one := func(at netip.AddrPort) bool { return at.Port() == 9 }
	for to, want := range map[string]bool{
		"https://chat.example/webhooks/x": true, "http://127.0.0.1:8080/x": false, "http://127.0.0.1:9/x": true, "http://[::ffff:127.0.0.1]:9/": true,
		"http://127.0.0.1/x": false, "http://[::1]:8080/": false, "http://localhost:9/x": true,
		"http://chat.example/webhooks/x": false, "http://10.0.0.1/": false, "https://chat.example.evil/": false, "https://chat.example@evil/": false,
		"file:///etc/passwd": false, "": false, "http://169.254.169.254/": false,
	} {
		if got := Allowed(to, "https://chat.example", one); got != want {
			t.Errorf("%q: %v", to, got)
		}
	}
	for to, want := range map[string]bool{
		"http://localhost:8080/x": true, "http://127.0.0.1:8080/x": true, "http://[::1]:8080/x": true, "http://127.0.0.1:9090/x": false,
		"http://localhost/x": false, "https://127.0.0.1:8080/": false, "http://10.0.0.1:8080/": false,
	} {
		if got := Allowed(to, "http://localhost:8080", func(netip.AddrPort) bool { return false }); got != want {
			t.Errorf("%q of the demo: %v", to, got)
		}
	}
}
