package egress

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func client(t *testing.T, cfg Config) *Client {
	t.Helper()
	if cfg.Allow == nil {
		cfg.Allow = loopback
	}
	c := New(cfg)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDo(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", r.Header.Get("User-Agent"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(append([]byte("got "), b...))
	})
	var log []CallRecord
	c := client(t, Config{Log: func(r CallRecord) { log = append(log, r) }})
	resp, err := c.Do(t.Context(), Call{Account: "ch_1", Label: "POST /bot{token}/send", Request: request(t, "POST", s.URL+"/botSECRET/send?key=SECRET", "hello")})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != 418 || string(resp.Body) != "got hello" || resp.Header.Get("X-Got") != userAgent || resp.Truncated {
		t.Errorf("response: %+v", resp)
	}
	want := []CallRecord{{Account: "ch_1", Label: "POST /bot{token}/send", Method: "POST", Host: strings.TrimPrefix(s.URL, "http://"), Status: 418, Sent: true}}
	if diff := cmp.Diff(want, log, cmpopts.IgnoreFields(CallRecord{}, "At", "Took")); diff != "" {
		t.Errorf("call log (-want +got):\n%s", diff)
	}
	if strings.Contains(fmt.Sprint(log), "SECRET") {
		t.Error("the call log shows a credential")
	}
}

func TestAnswersAreCapped(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, MaxBody+1)) })
	resp, err := client(t, Config{}).Do(t.Context(), Call{Request: request(t, "GET", s.URL, "")})
	if err != nil || len(resp.Body) != MaxBody || !resp.Truncated {
		t.Errorf("%v, truncated %v", err, resp.Truncated)
	}
}

func TestInsideIsNeverCalled(t *testing.T) {
	t.Parallel()
	var called atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) { called.Add(1) })
	c := client(t, Config{Allow: []netip.Prefix{}, Timeout: 5 * time.Second})
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	for _, u := range []string{
		s.URL, "http://localhost" + port, "https://127.0.0.1", "https://localhost", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://0.0.0.0",
		"https://10.0.0.1", "https://172.16.0.1", "https://192.168.1.1", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1",
		"https://[fd00::1]", "https://[fe80::1]", "https://[64:ff9b::7f00:1]", "https://2130706433", "https://0x7f.1",
		"http://1.1.1.1", "https://1.1.1.1:22",
	} {
		_, err := c.Do(t.Context(), Call{Request: request(t, "POST", u, "x")})
		if !fault.Is(err, fault.Denied) && !(strings.Contains(u, "2130706433") || strings.Contains(u, "0x7f")) || err == nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	if n := called.Load(); n != 0 {
		t.Errorf("%d calls arrived", n)
	}
	for _, u := range []string{"ftp://1.1.1.1", "https://", "/relative"} {
		if _, err := c.Do(t.Context(), Call{Request: request(t, "GET", u, "")}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", u, err)
		}
	}
	if _, err := c.Do(t.Context(), Call{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no request: %v", err)
	}
}

func TestNotSent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuses := "http://" + l.Addr().String()
	_ = l.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = nil
	t.Cleanup(secure.Close)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c := client(t, Config{Timeout: 5 * time.Second})
	for name, f := range map[string]func() (*Response, error){
		"refused": func() (*Response, error) { return c.Do(t.Context(), Call{Request: request(t, "POST", refuses, "x")}) },
		"untrusted": func() (*Response, error) {
			return c.Do(t.Context(), Call{Request: request(t, "POST", secure.URL, "x")})
		},
		"no name": func() (*Response, error) {
			return c.Do(t.Context(), Call{Request: request(t, "POST", "https://nowhere.invalid", "x")})
		},
		"too late": func() (*Response, error) { return c.Do(ended, Call{Request: request(t, "POST", refuses, "x")}) },
	} {
		if _, err := f(); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	resp, err := client(t, Config{Roots: roots}).Do(t.Context(), Call{Request: request(t, "POST", s.URL, "x")})
	if err != nil || string(resp.Body) != "ok" {
		t.Errorf("%v %v", resp, err)
	}
}

func TestSentAndNoAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"reset before the body is read": func(w http.ResponseWriter, _ *http.Request) { reset(w) },
		"reset after the body is read":  func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); reset(w) },
		"answer cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		},
		"never": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, answer)
			c := client(t, Config{})
			_, err := c.Do(t.Context(), Call{Request: request(t, "POST", s.URL+"/botSECRET", "x"), Timeout: 300 * time.Millisecond})
			if !fault.Is(err, fault.Unknown) {
				t.Errorf("%v", err)
			}
			if strings.Contains(fmt.Sprint(err), "SECRET") {
				t.Errorf("the error shows a credential: %v", err)
			}
		})
	}
}

func reset(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// A server that hangs up at any moment, also on idle connections, sees every request at most once; and one of which the client says
// that it was not sent it has not seen at all.
func TestP7_NotSentMeansNotSent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	var n atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err == nil {
			mu.Lock()
			seen[string(b)]++
			mu.Unlock()
		}
		switch n.Add(1) % 7 {
		case 0:
			reset(w)
		case 1:
			w.Header().Set("Connection", "close")
		case 2:
			c, _, _ := w.(http.Hijacker).Hijack() // answers and hangs up without saying so
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			_ = c.Close()
		}
	})
	// Half of the time nobody listens.
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	c := client(t, Config{Timeout: 5 * time.Second})
	kinds := map[fault.Kind]int{}
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range 100 {
				id, url := fmt.Sprintf("%d-%d", caller, i), s.URL
				if i%10 == 9 {
					url = "http://" + gone.Addr().String()
				}
				_, err := c.Do(t.Context(), Call{Request: request(t, "POST", url, id)})
				mu.Lock()
				switch {
				case err == nil && seen[id] != 1, fault.Is(err, fault.Unavailable) && seen[id] != 0, seen[id] > 1:
					t.Errorf("%s: seen %d times, the client says %v", id, seen[id], err)
				}
				if err != nil {
					kinds[fault.KindOf(err)]++
				}
				mu.Unlock()
			}
		})
	}
	callers.Wait()
	if kinds[fault.Unavailable] < 80 || kinds[fault.Unknown] < 50 {
		t.Errorf("too few failures to show anything: %v", kinds)
	}
	t.Logf("failures: %v", kinds)
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(5 * time.Millisecond) }))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := client(t, Config{})
	for range 5 {
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if _, err := c.Do(t.Context(), Call{Request: request(t, "POST", s.URL, "x")}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	if n := opened.Load(); n > 150 {
		t.Errorf("%d connections for 100 callers at a time", n)
	}
}

func TestP12_ADeadAccountIsRefusedAtOnceAndTriedAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	var status atomic.Int64
	status.Store(503)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(int(status.Load())) })
	c := client(t, Config{Breaker: Breaker{Failures: 3, Open: 100 * time.Millisecond}})
	do := func(account string) error {
		_, err := c.Do(t.Context(), Call{Account: account, Request: request(t, "POST", s.URL, "x")})
		return err
	}
	for range 3 {
		if err := do("dead"); err != nil {
			t.Fatal(err)
		}
	}
	if err := do("dead"); fault.Of(err).Code != "breaker_open" || fault.KindOf(err) != fault.Unavailable || !c.Tripped("dead") {
		t.Errorf("after three failures: %v", err)
	}
	if err := do("alive"); err != nil || c.Tripped("alive") {
		t.Errorf("another account: %v", err)
	}
	if n := calls.Load(); n != 4 {
		t.Errorf("%d calls arrived, want 4", n)
	}
	status.Store(200)
	for end := time.Now().Add(time.Minute); do("dead") != nil; {
		if time.Now().After(end) {
			t.Fatal("the breaker does not close")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := do("dead"); err != nil {
		t.Errorf("closed again: %v", err)
	}
	status.Store(429) // a refusal is an answer
	for range 5 {
		if err := do("alive"); err != nil {
			t.Errorf("refusals opened the breaker: %v", err)
		}
	}
}
