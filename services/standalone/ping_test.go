package standalone

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestPing(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer late.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer broken.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		args   []string
		status int
		out    []string
	}{
		{[]string{"ping", late.URL}, 0, []string{late.URL + " answers (404)"}},
		{[]string{"ping", "--within", "1s", broken.URL, late.URL}, 1, []string{broken.URL + " does not answer: status 502", late.URL + " answers"}},
		{[]string{"ping", "--within", "1s", gone.URL}, 1, []string{gone.URL + " does not answer: "}},
		{[]string{"ping", "--within", "1s", ":bad"}, 1, []string{"does not answer: parse"}},
		{[]string{"ping"}, 1, []string{"say: tributary ping URL"}},
		{[]string{"ping", "--witin", "1s"}, 1, []string{"unknown flag"}},
	} {
		var b bytes.Buffer
		if got := Main(c.args, nil, &b, &b); got != c.status {
			t.Errorf("%q: status %d", c.args, got)
		}
		for _, want := range c.out {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%q: %q is not in %q", c.args, want, b.String())
			}
		}
	}
}
