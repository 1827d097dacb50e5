package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/bus/namespace"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store/mongo/fresh"
	"github.com/tributaryhq/tributary/services/all"
)

// redisVariable names a Redis with 16 databases, of which tests take turns in all but the first.
const redisVariable = "TRIBUTARY_TEST_REDIS_URL"

// real are servers outside of the test that separate processes use: all of them, or none.
type real struct {
	kafka *namespace.Namespace
	drop  func(context.Context) error
}

// outside reports whether the environment names real servers.
func outside() bool { return len(bustest.Real()) > 0 && os.Getenv(redisVariable) != "" && fresh.Real() }

// useReal prepares real servers for a platform: topics under a prefix of its own, a Redis database, an empty MongoDB database.
func (p *platform) useReal() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p.real = &real{}
	if p.real.kafka, err = namespace.Open(ctx, bustest.Real(), fmt.Sprintf("e%x.", time.Now().UnixNano()), net.Listen); err != nil {
		return err
	}
	p.servers = map[string]string{
		"TRIBUTARY_KAFKA_BROKERS": strings.Join(p.real.kafka.Addrs(), ","), "TRIBUTARY_BLOB_URL": "file://" + filepath.Join(p.dir, "blobs"),
	}
	if p.servers["TRIBUTARY_REDIS_URL"], err = redisDatabase(); err != nil {
		return err
	}
	if p.servers["TRIBUTARY_STORE_URL"], p.real.drop, err = fresh.Database(); err != nil {
		return err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	p.servers["TRIBUTARY_ENCRYPTION_KEY"] = base64.StdEncoding.EncodeToString(key)
	return errors.Join(topics(ctx, p.real.kafka.Addrs()), indexes(ctx, p.servers["TRIBUTARY_STORE_URL"]))
}

// indexes does what `tributary store ensure` does.
func indexes(ctx context.Context, url string) error {
	db, err := run.OpenStore(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(db.Ensure(ctx, run.Collections(all.Services()...)...), db.Close())
}

var redisTurn atomic.Int64

func redisDatabase() (string, error) {
	u, err := url.Parse(os.Getenv(redisVariable))
	if err != nil {
		return "", fmt.Errorf("%s: not a URL", redisVariable)
	}
	u.Path = fmt.Sprintf("/%d", 1+redisTurn.Add(1)%15)
	return u.String(), nil
}

// topics makes the topics with few partitions and as many replicas as the cluster wants.
func topics(ctx context.Context, brokers []string) error {
	b, err := kafka.Open(ctx, kafka.Config{Brokers: brokers, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	ts := embedded.Topics()
	for i := range ts {
		ts[i].Replicas = -1
	}
	err = b.EnsureTopics(ctx, ts)
	for end := time.Now().Add(time.Minute); err != nil && ctx.Err() == nil && time.Now().Before(end); { // many scenes begin at once
		err = b.EnsureTopics(ctx, ts)
	}
	return errors.Join(err, b.Close())
}

func (r *real) close() error {
	if r == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	if r.kafka != nil {
		errs = append(errs, r.kafka.Close(ctx))
	}
	if r.drop != nil {
		errs = append(errs, r.drop(ctx))
	}
	return errors.Join(errs...)
}
