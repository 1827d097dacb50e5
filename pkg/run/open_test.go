package run

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// authority issues certificates for this machine.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.key = newKey(t)
	a.cert = a.sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, a.key)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sign issues a certificate for a key; the first is the authority's own.
func (a *authority) sign(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: "test"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent := a.cert
	if parent == nil {
		parent = c
	}
	b, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// issue returns a certificate and its key in PEM.
func (a *authority) issue(t *testing.T, usage x509.ExtKeyUsage) (cert, key string) {
	t.Helper()
	k := newKey(t)
	made := a.sign(t, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{usage}, KeyUsage: x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, k)
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Raw})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// TestKafkaKnowsUsByACertificate: on brokers that demand one, requests and groups, which are two clients, both show it.
func TestKafkaKnowsUsByACertificate(t *testing.T) {
	t.Parallel()
	ours, others := newAuthority(t), newAuthority(t)
	server, serverKey := ours.issue(t, x509.ExtKeyUsageServerAuth)
	pair, err := tls.X509KeyPair([]byte(server), []byte(serverKey))
	if err != nil {
		t.Fatal(err)
	}
	broker := bustest.NewBroker(t, 1, kfake.TLS(&tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool(),
	}))
	open := func(t *testing.T, cert, key string) bus.Bus {
		t.Helper()
		k, err := busConfig(&config.Config{KafkaBrokers: broker.Addrs(), KafkaTLS: true, KafkaTLSCert: cert, KafkaTLSKey: key, KafkaCompression: "none"}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		k.TLS.RootCAs = ours.pool() // in the place of the system's
		return broker.Open(t, func(c *kafka.Config) { c.TLS = k.TLS })
	}
	cert, key := ours.issue(t, x509.ExtKeyUsageClientAuth)
	b := open(t, cert, key)
	if err := b.EnsureTopics(t.Context(), bustest.Topics()); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	bustest.Run(t, b, bus.Subscription{Group: "g", Topics: []string{event.TopicInbound}, Handle: func(context.Context, bus.Message) error { close(read); return nil }})
	if err := b.Publish(t.Context(), event.Record{Topic: event.TopicInbound, Key: "k", Event: event.New("1", event.MessageReceived, "test", "t1", "", event.At(time.Now()), nil)}); err != nil {
		t.Fatal(err)
	}
	<-read
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	foreign, foreignKey := others.issue(t, x509.ExtKeyUsageClientAuth)
	for name, b := range map[string]bus.Bus{"without a certificate": open(t, "", ""), "with another authority's": open(t, foreign, foreignKey)} {
		if err := b.Ping(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACertificateForKafkaIsWhole(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert, key := a.issue(t, x509.ExtKeyUsageClientAuth)
	_, other := a.issue(t, x509.ExtKeyUsageClientAuth)
	for name, c := range map[string]struct {
		tls       bool
		cert, key string
		says      string // empty: it is right
	}{
		"a pair":              {true, cert, key, ""},
		"none":                {true, "", "", ""},
		"no key":              {true, cert, "", "TRIBUTARY_KAFKA_TLS_KEY"},
		"no certificate":      {true, "", key, "TRIBUTARY_KAFKA_TLS_CERT"},
		"of another":          {true, cert, other, "a certificate and its key"},
		"no PEM":              {true, "x", "planted-secret", "PEM"},
		"to brokers in plain": {false, cert, key, "TRIBUTARY_KAFKA_TLS is not"},
	} {
		_, err := busConfig(&config.Config{KafkaBrokers: []string{"k:1"}, KafkaTLS: c.tls, KafkaTLSCert: c.cert, KafkaTLSKey: c.key}, nil)
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "planted")) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
