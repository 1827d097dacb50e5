package egress

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestFetchStreamsUpToItsLimit(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", "1000")
		}
		for range 10 {
			_, _ = w.Write(make([]byte, 100))
			w.(http.Flusher).Flush()
		}
	})
	c := client(t, Config{})
	for _, path := range []string{"/announced", "/chunked"} {
		d, err := c.Fetch(t.Context(), Call{Request: request(t, "GET", s.URL+path, "")}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(d.Body)
		if err != nil || len(b) != 1000 {
			t.Errorf("%s: %d bytes, %v", path, len(b), err)
		}
		_ = d.Body.Close()
		d, err = c.Fetch(t.Context(), Call{Request: request(t, "GET", s.URL+path, "")}, 999)
		if err == nil {
			b, err = io.ReadAll(d.Body)
			_ = d.Body.Close()
			if len(b) > 999 {
				t.Errorf("%s: %d bytes came through", path, len(b))
			}
		}
		if fault.Of(err).Code != "too_large" || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s over the limit: %v", path, err)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Token") != "" || r.Header.Get("Accept") != "image/*" {
			http.Error(w, "headers: "+r.Header.Get("X-Token"), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, "bytes")
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/here", http.StatusFound)
		case "/here":
			if r.Header.Get("Authorization") != "Bearer SECRET" {
				http.Error(w, "no credentials", http.StatusUnauthorized)
			}
		case "/other":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/inside":
			http.Redirect(w, r, "https://10.1.2.3/secrets", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/broken":
			w.WriteHeader(http.StatusFound)
		}
	})
	c := client(t, Config{})
	fetch := func(method, path string) (*Download, error) {
		r := request(t, method, s.URL+path, "")
		r.Header.Set("Authorization", "Bearer SECRET")
		r.Header.Set("X-Token", "SECRET")
		r.Header.Set("Accept", "image/*")
		d, err := c.Fetch(t.Context(), Call{Request: r}, 1000)
		if err == nil {
			b, rerr := io.ReadAll(d.Body)
			if err := errors.Join(rerr, d.Body.Close()); err != nil {
				t.Error(err)
			}
			d.Body = io.NopCloser(strings.NewReader(string(b)))
		}
		return d, err
	}
	for path, want := range map[string]int{"/same": 200, "/other": 200, "/here": 200} {
		if d, err := fetch("GET", path); err != nil || d.Status != want {
			t.Errorf("%s: %+v %v", path, d, err)
		}
	}
	for path, want := range map[string]fault.Kind{"/inside": fault.Denied, "/loop": fault.Invalid, "/broken": fault.Invalid} {
		if _, err := fetch("GET", path); !fault.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := fetch("POST", "/other"); !fault.Is(err, fault.Unknown) {
		t.Errorf("a redirected POST: %v", err)
	}
	if resp, err := c.Do(t.Context(), Call{Request: request(t, "GET", s.URL+"/same", "")}); err != nil || resp.Status != http.StatusFound {
		t.Errorf("Do follows a redirect: %+v %v", resp, err)
	}
	if resp, err := c.For("ch").HTTP().Get(s.URL + "/same"); err != nil || resp.StatusCode != http.StatusFound {
		t.Errorf("an http.Client follows a redirect: %+v %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
}

func TestGuardKnowsPrefixes(t *testing.T) {
	t.Parallel()
	g := newGuard(Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}})
	for addr, ok := range map[string]bool{
		"10.1.2.3:80": true, "10.2.2.3:443": false, "[::ffff:10.1.2.3]:80": true, "[fd00:1::5]:9000": true, "[fd00:2::5]:443": false,
		"1.1.1.1:443": true, "1.1.1.1:8443": true, "1.1.1.1:25": false, "[2606:4700:4700::1111]:443": true, "nonsense": false,
	} {
		if err := g.check(addr, false); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if err := g.check("1.1.1.1:443", true); !fault.Is(err, fault.Denied) {
		t.Errorf("plain http to the internet: %v", err)
	}
}
