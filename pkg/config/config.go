// Package config reads the configuration of a process: defaults, then a file, then the environment, then flags.
//
// A key belongs to the service that reads it, which declares it with what it may hold (Declare); this package has only those that every
// process reads (Config). A key that is declared nowhere stops the start and is named, wherever it came from; so does a value that
// does not fit its key. Secrets can be read from files: the key with "_file" behind it names one.
package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config is the configuration of a process. Its fields are the keys that every process reads: TRIBUTARY_HTTP_ADDR in the environment,
// http_addr in a file, --http-addr as a flag. The settings of services are beside them (Of).
type Config struct {
	HTTPAddr               string        `key:"http_addr" default:":8080" help:"address of the public API, webhooks and console"`
	TrustedProxies         []string      `key:"trusted_proxies" help:"CIDRs of proxies whose X-Forwarded-For or Forwarded header is believed; empty: none, the address of the connection counts"`
	PublicURL              string        `key:"public_url" help:"the URL under which providers and people reach this installation; empty: derived from http_addr"`
	KafkaBrokers           []string      `key:"kafka_brokers" help:"Kafka bootstrap servers; empty: in-process (binary tributary only)"`
	KafkaTLS               bool          `key:"kafka_tls" default:"false" help:"speak TLS to Kafka"`
	KafkaTLSCert           string        `key:"kafka_tls_cert" secret:"true" help:"certificate with which we prove to Kafka who we are, and those that it was issued by, in PEM; with kafka_tls; empty: none"`
	KafkaTLSKey            string        `key:"kafka_tls_key" secret:"true" help:"its private key, in PEM"`
	KafkaSASL              string        `key:"kafka_sasl" oneof:",plain,scram-sha-256,scram-sha-512" help:"SASL mechanism: plain, scram-sha-256 or scram-sha-512; empty: none"`
	KafkaUsername          string        `key:"kafka_username" help:"SASL user"`
	KafkaPassword          string        `key:"kafka_password" secret:"true" help:"SASL password"`
	KafkaLinger            time.Duration `key:"kafka_linger" default:"3ms" min:"1ns" max:"1s" help:"partitions that want more records wait so long for others, to be asked for together; longer is cheaper"`
	KafkaCompression       string        `key:"kafka_compression" default:"lz4" oneof:"none,lz4,zstd" help:"of records: none, lz4 or zstd; in-process: none"`
	RedisURL               string        `key:"redis_url" secret:"true" help:"redis:// or rediss:// URL; empty: in-process (binary tributary only)"`
	StoreURL               string        `key:"store_url" secret:"true" help:"mongodb://, mongodb+srv:// or sqlite:<file>; empty: SQLite in data_dir (binary tributary only)"`
	BlobURL                string        `key:"blob_url" help:"file:///dir, mem://, s3://, gs:// or azblob:// URL; empty: a folder in data_dir (binary tributary only)"`
	EncryptionKey          string        `key:"encryption_key" secret:"true" help:"32 bytes in base64 that seal secrets at rest; required outside the single binary, which generates one into data_dir"`
	EncryptionKeysAccepted []string      `key:"encryption_keys_accepted" secret:"true" help:"further encryption keys, comma-separated, while keys are rotated: they open secrets and sessions, and seal nothing"`
	AdminAddr              string        `key:"admin_addr" default:":9090" help:"address of /livez, /readyz, /startupz and /metrics; never public; the binary tributary: 127.0.0.1:9090"`
	Pprof                  bool          `key:"pprof" default:"false" help:"serve the profiles of the Go runtime under /debug/pprof on admin_addr"`
	EgressAllow            []string      `key:"egress_allow" help:"CIDRs, or single addresses with a port, that may be called although they are private, e.g. 127.0.0.0/8 or 127.0.0.1:8080"`

	LogLevel      string        `key:"log_level" default:"info" oneof:"debug,info,warn,error" help:"debug, info, warn or error"`
	LogFormat     string        `key:"log_format" default:"auto" oneof:"auto,json,text" help:"json, text, or auto: text where the log goes to a terminal, json elsewhere"`
	ShutdownDelay time.Duration `key:"shutdown_delay" default:"0s" min:"0s" help:"how long to stay up after not being ready any more, for load balancers to notice and kept connections to be given up"`
	ShutdownDrain time.Duration `key:"shutdown_drain" default:"20s" min:"0s" help:"how long requests and records in progress may take to finish at a stop"`
	OIDCIssuer    string        `key:"oidc_issuer" help:"OpenID Connect issuer whose tokens are accepted; empty: none"`
	OIDCAudience  string        `key:"oidc_audience" help:"audience that such tokens must name"`

	parts []any // pointers to the structs of further settings
}

// Key decodes EncryptionKey.
func (c *Config) Key() ([]byte, error) {
	return decodeKey("encryption_key", c.EncryptionKey)
}

// Keys decodes EncryptionKey and, behind it, EncryptionKeysAccepted.
func (c *Config) Keys() ([][]byte, error) {
	first, err := c.Key()
	if err != nil {
		return nil, err
	}
	keys := [][]byte{first}
	for _, text := range c.EncryptionKeysAccepted {
		k, err := decodeKey("encryption_keys_accepted", text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func decodeKey(key, text string) ([]byte, error) {
	k, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(k) != 32 {
		return nil, fmt.Errorf("%s: want 32 bytes in base64 (openssl rand -base64 32)", EnvName(key))
	}
	return k, nil
}

// Proxies decodes TrustedProxies.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(c.TrustedProxies))
	for _, s := range c.TrustedProxies {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a CIDR such as 127.0.0.0/8", EnvName("trusted_proxies"), s)
		}
		out = append(out, p)
	}
	return out, nil
}

// Allowed decodes EgressAllow: networks with all their ports, and single addresses with one.
func (c *Config) Allowed() (networks []netip.Prefix, addresses []netip.AddrPort, err error) {
	for _, s := range c.EgressAllow {
		if p, err := netip.ParsePrefix(s); err == nil {
			networks = append(networks, p)
		} else if a, err := netip.ParseAddrPort(s); err == nil {
			addresses = append(addresses, a)
		} else {
			return nil, nil, fmt.Errorf("TRIBUTARY_EGRESS_ALLOW: %q is neither a CIDR such as 127.0.0.0/8 nor an address with a port such as 127.0.0.1:8080", s)
		}
	}
	return networks, addresses, nil
}

// Permits returns what tells whether EgressAllow lets an address be called.
func (c *Config) Permits() (func(netip.AddrPort) bool, error) {
	networks, addresses, err := c.Allowed()
	return func(at netip.AddrPort) bool {
		ip := at.Addr().Unmap()
		return slices.Contains(addresses, netip.AddrPortFrom(ip, at.Port())) || slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
	}, err
}

// Check returns what is wrong with values that their declarations cannot describe.
func (c *Config) Check() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", EnvName(key), fmt.Sprintf(format, args...)))
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			bad("public_url", "%q is not an http or https URL", c.PublicURL)
		}
	}
	if c.StoreURL != "" && !strings.HasPrefix(c.StoreURL, "sqlite:") && !strings.HasPrefix(c.StoreURL, "mongodb://") && !strings.HasPrefix(c.StoreURL, "mongodb+srv://") {
		bad("store_url", "want mongodb://…, mongodb+srv://… or sqlite:<file>")
	}
	if c.EncryptionKey != "" {
		if _, err := c.Keys(); err != nil {
			errs = append(errs, err)
		}
	}
	_, _, err := c.Allowed()
	_, err2 := c.Proxies()
	errs = append(errs, err, err2)
	return errors.Join(errs...)
}
