package bustest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Group membership goes through another client of kafka-go than everything else: both must get TLS and the credentials.
func TestTLSAndSASL(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.NotFoundHandler()) // only for its certificate
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			br := NewBroker(t, 1, kfake.TLS(&tls.Config{Certificates: s.TLS.Certificates}), kfake.EnableSASL(), kfake.Superuser(mechanism, "user", "right"))
			secure := func(password string) func(*kafka.Config) {
				return func(c *kafka.Config) {
					c.TLS = &tls.Config{RootCAs: roots}
					c.SASL = kafka.SASL{Mechanism: mechanism, Username: "user", Password: password}
				}
			}
			b := br.Open(t, secure("right"))
			if err := b.EnsureTopics(t.Context(), Topics()); err != nil {
				t.Fatal(err)
			}
			var k sink
			Run(t, b, inbound("g", k.handle))
			publish(t, b, rec(event.TopicInbound, "k", "1"))
			k.wait(t, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := br.Open(t, secure("wrong")).Ping(ctx); !fault.Is(err, fault.Unavailable) {
				t.Errorf("with a wrong password: %v", err)
			}
			if err := br.Open(t).Ping(ctx); !fault.Is(err, fault.Unavailable) {
				t.Errorf("without TLS: %v", err)
			}
		})
	}
}
