package egress

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestWhereLastingConnectionsMayGo(t *testing.T) {
	t.Parallel()
	strict, local := newGuard(Config{}), newGuard(Config{Allow: loopback})
	for address, want := range map[string]bool{
		"127.0.0.1:2775": false, "10.1.2.3:2775": false, "169.254.169.254:80": false, "[::1]:2775": false, "[::ffff:10.0.0.1]:2775": false,
		"1.1.1.1:2775": true, "1.1.1.1:443": true, "1.1.1.1:25": false, "1.1.1.1:80": false, "nowhere": false,
	} {
		if err := strict.checkLasting(address); (err == nil) != want || err != nil && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v, may be called: %v", address, err, want)
		}
	}
	if err := local.checkLasting("127.0.0.1:25"); err != nil {
		t.Errorf("what the operator allows: %v", err)
	}
}

func TestDialingAConnectionThatLasts(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	addr := s.Listener.Addr().String()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c := client(t, Config{Roots: roots})
	conn, err := c.Dial(t.Context(), addr, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := conn.(*tls.Conn); !ok {
		t.Errorf("%T, want TLS", conn)
	}
	_ = conn.Close()
	if plain, err := c.Dial(t.Context(), addr, false); err != nil {
		t.Error(err)
	} else {
		_ = plain.Close()
	}
	if _, err := client(t, Config{}).Dial(t.Context(), addr, true); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a certificate that is not trusted: %v, want unavailable", err)
	}
	if _, err := New(Config{}).Dial(t.Context(), addr, false); !fault.Is(err, fault.Denied) {
		t.Errorf("an address of the inside: %v, want denied", err)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = io.Closer(gone).Close()
	if _, err := c.Dial(t.Context(), gone.Addr().String(), false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("where no server listens: %v, want unavailable", err)
	}
}
