package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

func TestForwardedAddressesAreBelievedFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		remote, header string
		said           []string
		want           string
	}{
		{"203.0.113.9:5", "", nil, "203.0.113.9"},
		{"203.0.113.9:5", "X-Forwarded-For", []string{"198.51.100.1"}, "203.0.113.9"},
		{"127.0.0.1:5", "X-Forwarded-For", []string{"198.51.100.1"}, "127.0.0.1"}, // private, and not trusted
		{"192.168.1.1:5", "Forwarded", []string{"for=198.51.100.1"}, "192.168.1.1"},
		{"10.0.0.1:5", "", nil, "10.0.0.1"},
		{"10.0.0.1:5", "X-Forwarded-For", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:5", "X-Forwarded-For", []string{"1.1.1.1", "198.51.100.1,10.9.9.9"}, "198.51.100.1"},
		{"10.0.0.1:5", "X-Forwarded-For", []string{"10.2.2.2"}, "10.2.2.2"},
		{"10.0.0.1:5", "X-Forwarded-For", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"10.0.0.1:5", "X-Forwarded-For", []string{"1.1.1.1, junk"}, "10.0.0.1"},
		{"10.0.0.1:5", "X-Forwarded-For", []string{"198.51.100.1,"}, "10.0.0.1"},
		{"10.0.0.1:5", "Forwarded", []string{`for=1.1.1.1, for="[2001:db8::1]:4711";proto=https`}, "2001:db8::1"},
		{"10.0.0.1:5", "Forwarded", []string{"For=198.51.100.1;by=10.0.0.1"}, "198.51.100.1"},
		{"10.0.0.1:5", "Forwarded", []string{"for=_hidden"}, "10.0.0.1"},
		{"[fd00::1]:5", "X-Forwarded-For", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:5", "X-Forwarded-For", []string{"198.51.100.1"}, "198.51.100.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.header != "" {
			r.Header[c.header] = c.said
		}
		if got := httpapi.Forwarded(r, trusted).String(); got != c.want {
			t.Errorf("%s, %s %q: %s, want %s", c.remote, c.header, c.said, got, c.want)
		}
	}
	both := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{"X-Forwarded-For": {"198.51.100.1"}, "Forwarded": {"for=1.1.1.1"}}}
	if got := httpapi.Forwarded(both, trusted).String(); got != "10.0.0.1" {
		t.Errorf("with two headers that differ: %s", got)
	}
}

func TestHandlersSeeOneClientAddress(t *testing.T) {
	t.Parallel()
	e := httpapi.New(netip.MustParsePrefix("10.0.0.0/8"))
	e.GET("/", func(c *gin.Context) { c.String(200, httpapi.Client(c).String()+" "+httpapi.Source(c)) })
	req := httptest.NewRequest("GET", "/", nil)
	req.RemoteAddr = "10.0.0.1:5"
	req.Header.Set("X-Forwarded-For", "2001:db8::1")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, req)
	if got := w.Body.String(); got != "2001:db8::1 2001:db8::/64" {
		t.Error(got)
	}
}
