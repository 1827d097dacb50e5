package standalone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/disk"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
	"github.com/tributaryhq/tributary/pkg/telemetry"
)

// inProcess is what runs in this process because the configuration names no other.
type inProcess struct {
	broker *embedded.Broker
	redis  *embedded.Redis
}

func (i *inProcess) close() error {
	var errs []error
	if i.broker != nil {
		errs = append(errs, i.broker.Close())
	}
	if i.redis != nil {
		errs = append(errs, i.redis.Close())
	}
	return errors.Join(errs...)
}

// fill starts what is missing and writes the addresses into the configuration: from here on nobody can tell the
// difference.
func fill(ctx context.Context, cfg *config.Config, brokerAddr, redisAddr string) (i *inProcess, err error) {
	i = &inProcess{}
	if err := folders(cfg); err != nil {
		return i, err
	}
	if err := keys(ctx, cfg); err != nil {
		return i, err
	}
	if len(cfg.KafkaBrokers) == 0 {
		options, err := durability(cfg)
		if err != nil {
			return i, err
		}
		if i.broker, err = embedded.StartBroker(ctx, filepath.Join(mine(cfg).DataDir, "kafka"), brokerAddr, options...); err != nil {
			return i, err
		}
		cfg.KafkaBrokers, cfg.KafkaCompression = i.broker.Addrs(), "none"
	}
	if cfg.RedisURL == "" {
		if i.redis, err = embedded.StartRedis(ctx, redisAddr); err != nil {
			return i, err
		}
		cfg.RedisURL = i.redis.URL()
	}
	return i, nil
}

// folders makes the data directory and puts store and blobs into it where the configuration names no other.
func folders(cfg *config.Config) error {
	if err := private(mine(cfg).DataDir); err != nil {
		return fmt.Errorf("TRIBUTARY_DATA_DIR: %w", err)
	}
	if cfg.StoreURL == "" {
		cfg.StoreURL = "sqlite:" + storeFile(cfg)
	}
	if cfg.BlobURL == "" {
		dir, err := filepath.Abs(filepath.Join(mine(cfg).DataDir, "blobs"))
		if err != nil {
			return err
		}
		cfg.BlobURL = "file://" + filepath.ToSlash(dir)
	}
	return nil
}

// storeFile is the store of a data directory whose configuration names no other.
func storeFile(cfg *config.Config) string { return filepath.Join(mine(cfg).DataDir, "tributary.db") }

// durability is what the in-process broker promises, and what it has to make good: if the store in the data directory
// has lost commits, what customers wrote is read again from the broker.
func durability(cfg *config.Config) (options []embedded.Option, err error) {
	if mine(cfg).KafkaSync == "off" {
		options = append(options, embedded.Unsynced())
	}
	if cfg.StoreURL != "sqlite:"+storeFile(cfg) {
		return options, nil
	}
	pages, err := sqlite.Cut(storeFile(cfg))
	if err != nil {
		return nil, fmt.Errorf("TRIBUTARY_DATA_DIR: %w", err)
	}
	if pages > 0 {
		slog.Error("the store has lost commits: its log was cut. What the broker still has is read again; what was changed through the "+
			"API is lost: see \"Loss of power, loss of files\" in docs/guide/operate.md", "file", storeFile(cfg)+"-wal", "lost_pages", pages)
		options = append(options, embedded.Reread())
	}
	return options, nil
}

// remembered reads a value from a file, or makes it and writes it there.
func remembered(path string, fresh func() string) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	v := fresh()
	return v, replaceFile(path, v+"\n")
}

// replaceFile writes a file that only we can read: all of it, or nothing.
func replaceFile(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".new", path), disk.Sync(filepath.Dir(path)))
}

// ensureTopics makes the topics: of the fixed sizes of a cluster, or of the smaller ones of the in-process broker.
func ensureTopics(ctx context.Context, b bus.Bus, cfg *config.Config, inside bool) error {
	specs := embedded.Topics()
	if !inside {
		specs = clusterTopics(mine(cfg).KafkaReplicas)
	}
	return b.EnsureTopics(ctx, specs)
}

// clusterTopics are the partitions on a cluster: 48 partitions for keyed topics, 12 for media and stream, 1 for config
// and dead letters.
func clusterTopics(replicas int) []bus.TopicSpec {
	sizes := map[event.Size]int{event.Keyed: 48, event.Small: 12, event.One: 1}
	var out []bus.TopicSpec
	for _, t := range event.Topics() {
		s := bus.TopicSpec{Name: t.Name, Partitions: sizes[t.Partitions], Replicas: replicas, Compacted: t.Compacted, Config: map[string]string{
			"max.message.bytes": "1000000",
		}}
		if replicas >= 3 {
			s.Config["min.insync.replicas"] = "2"
		}
		out = append(out, s)
	}
	return slices.Clip(out)
}

// topics is the command "topics ensure".
func topics(ctx context.Context, s streams, args []string) error {
	if len(args) == 0 || args[0] != "ensure" {
		return errors.New("say: tributary topics ensure")
	}
	cfg, err := load(s, "topics ensure", args[1:])
	if err != nil {
		return err
	}
	if len(cfg.KafkaBrokers) == 0 {
		return errors.New("TRIBUTARY_KAFKA_BROKERS is not set: the in-process broker makes its topics by itself")
	}
	log := telemetry.Logger(s.err, cfg.LogFormat, cfg.LogLevel)
	b, err := run.OpenBus(ctx, cfg, log)
	if err != nil {
		return err
	}
	specs := clusterTopics(mine(cfg).KafkaReplicas)
	err = errors.Join(b.EnsureTopics(ctx, specs), b.Close())
	if err == nil {
		_, err = fmt.Fprintf(s.out, "%d topics are there\n", len(specs))
	}
	return err
}

// servers is the command "servers": broker and Redis alone. A store and blobs need no server: sqlite:<file> and file://
// are shared by the processes of one machine.
func servers(ctx context.Context, s streams, args []string) error {
	var kafka, redis string
	cfg, err := load(s, "servers", args, func(fs *pflag.FlagSet) {
		fs.StringVar(&kafka, "broker-addr", "127.0.0.1:9092", "address of the broker")
		fs.StringVar(&redis, "redis-addr", "127.0.0.1:6379", "address of Redis")
	})
	if err != nil {
		return err
	}
	log := telemetry.Logger(s.err, cfg.LogFormat, cfg.LogLevel)
	slog.SetDefault(log)
	cfg.KafkaBrokers, cfg.RedisURL = nil, ""
	i, err := fill(ctx, cfg, kafka, redis)
	defer func() { _ = i.close() }()
	if err != nil {
		return err
	}
	b, err := run.OpenBus(ctx, cfg, log)
	if err == nil {
		err = errors.Join(ensureTopics(ctx, b, cfg, true), b.Close())
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "TRIBUTARY_KAFKA_BROKERS=%s\nTRIBUTARY_REDIS_URL=%s\nTRIBUTARY_STORE_URL=%s\nTRIBUTARY_BLOB_URL=%s\nTRIBUTARY_ENCRYPTION_KEY=%s\n",
		strings.Join(cfg.KafkaBrokers, ","), cfg.RedisURL, cfg.StoreURL, cfg.BlobURL, cfg.EncryptionKey)
	if err != nil {
		return err
	}
	return i.broker.Failed(ctx)
}
