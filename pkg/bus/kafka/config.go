package kafka

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	requestTimeout = 10 * time.Second // admin requests, and fetches beyond their long poll
	dialTimeout    = 3 * time.Second  // for a machine to take a connection, however busy its broker is
	// connectTimeout is for all that comes before a connection can be used: taking it, TLS, the versions of the protocol; and once more for
	// SASL, which takes three further answers. A broker that is busy gives each of them late.
	connectTimeout = 15 * time.Second
	idleTimeout    = time.Minute // of a connection
	produceTimeout = 5 * time.Second
	commitTimeout  = 5 * time.Second        // of a commit, and of all tries of a generation's last one
	maxAttempts    = 4                      // produces of one batch
	batchRecords   = 500                    // records of one produce for a partition
	batchBytes     = 900_000                // of them, below the topics' max.message.bytes of 1 MB
	requestBytes   = 8 << 20                // of one produce with all its partitions; the last one may go beyond
	maxRecord      = 512 << 10              // larger things go to blob and travel as references
	fetchBytes     = 256 << 10              // of one partition, compressed: whoever is far behind holds as much of every partition
	plenty         = 100                    // records of a fetch: whoever gets so many asks for more at once
	fetchWait      = 2 * time.Second        // of a long poll; a record ends it at once
	stuckAfter     = 3                      // rebuilds of a group client without progress
	abandonAfter   = 500 * time.Millisecond // from the cancellation of handlers that outlast the drain
)

// Config says where the cluster is. Only Brokers is required.
type Config struct {
	Brokers  []string // host:port
	ClientID string   // shown in the brokers' logs and quotas; default "tributary"
	TLS      *tls.Config
	SASL     SASL

	Linger      time.Duration // partitions that want more wait so long for others before they are asked for together; default 3 ms
	Compression string        // "none", "lz4" (default) or "zstd"
	MaxBuffered int64         // bytes that may wait for an acknowledgement; default 64 MiB, beyond it Publish is refused
	MetadataTTL time.Duration // age of the cached cluster layout; default 6 s
	CommitEvery time.Duration // default 200 ms
	Stall       time.Duration // lag without progress for so long rebuilds the group client; default 60 s
	Group       Group
	Log         *slog.Logger // default slog.Default()
	// Dial connects to a broker; default TCP. It serves proxies, and tests that cut one client off.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// SASL is how to authenticate; the zero value does not.
type SASL struct {
	Mechanism string // "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512"
	Username  string
	Password  string
}

// Group holds the timings of group membership. All members of a group should have the same.
type Group struct {
	Heartbeat      time.Duration // default 3 s
	Session        time.Duration // default 30 s; a subscription's drain must be shorter
	Rebalance      time.Duration // default 60 s
	JoinBackoff    time.Duration // default 1 s
	PartitionWatch time.Duration // default 5 s; how often a member looks whether each partition belongs to somebody
}

func (c Config) withDefaults() (Config, error) {
	if len(c.Brokers) == 0 {
		return c, fault.At("/brokers", "required", "brokers: name at least one broker as host:port")
	}
	for _, a := range c.Brokers {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return c, fault.At("/brokers", "invalid", "brokers: %q is not host:port", a)
		}
	}
	fill(&c.ClientID, "tributary")
	fill(&c.Linger, 3*time.Millisecond)
	fill(&c.Compression, "lz4")
	fill(&c.MaxBuffered, 64<<20)
	fill(&c.MetadataTTL, 6*time.Second)
	fill(&c.CommitEvery, 200*time.Millisecond)
	fill(&c.Stall, time.Minute)
	fill(&c.Group.Heartbeat, 3*time.Second)
	fill(&c.Group.Session, 30*time.Second)
	fill(&c.Group.Rebalance, time.Minute)
	fill(&c.Group.JoinBackoff, time.Second)
	fill(&c.Group.PartitionWatch, 5*time.Second)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	_, err := c.compression()
	return c, err
}

func fill[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// connections builds both of kafka-go's ways to the brokers, so that they can never differ: the transport serves everything but
// group membership, the dialer that.
func connections(c Config) (*transport, *kafka.Dialer, error) {
	mechanism, err := c.SASL.mechanism()
	if err != nil {
		return nil, nil, err
	}
	t := newTransport(c)
	t.SASL = mechanism
	d := &kafka.Dialer{Timeout: connectTimeout, DualStack: true, ClientID: c.ClientID, TLS: c.TLS, SASLMechanism: mechanism, DialFunc: t.connect}
	return t, d, nil
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	switch strings.ToUpper(s.Mechanism) {
	case "":
		return nil, nil
	case "PLAIN":
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, s.Username, s.Password)
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, s.Username, s.Password)
	}
	return nil, fault.At("/sasl/mechanism", "invalid", "sasl mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
}

func (c Config) compression() (kafka.Compression, error) {
	switch c.Compression {
	case "none":
		return compress.None, nil
	case "lz4":
		return kafka.Lz4, nil
	case "zstd":
		return kafka.Zstd, nil
	}
	return 0, fault.At("/compression", "invalid", "compression %q: want none, lz4 or zstd", c.Compression)
}
