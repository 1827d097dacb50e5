package standalone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/all"
)

const (
	patience = 30 * time.Second // with one server: where it is busy, each of the answers that a connection with TLS and SASL takes comes late
	maxSkew  = 2 * time.Second  // between our clock and that of a server
)

// diagnosis is what a check of the doctor found, and what to do about it.
type diagnosis struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Do     string `json:"do,omitempty"` // what mends it
}

// doctor is the command "doctor". It changes no data, makes no key and no topic; a process may be running on the same
// configuration.
func doctor(ctx context.Context, s streams, args []string) error {
	asJSON := false
	cfg, err := load(s, "doctor", args, func(fs *pflag.FlagSet) {
		fs.BoolVar(&asJSON, "json", false, "print the findings as JSON")
	})
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	findings := []diagnosis{verdict("configuration", "is valid", "correct what is named; tributary config prints what is in effect", err)}
	if err == nil {
		findings = append(findings, examine(ctx, cfg)...)
	}
	return errors.Join(report(s, findings, asJSON), err)
}

func report(s streams, findings []diagnosis, asJSON bool) (err error) {
	failed := 0
	for _, f := range findings {
		if !f.OK {
			failed++
		}
	}
	if asJSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(map[string]any{"ok": failed == 0, "findings": findings})
	} else {
		for _, f := range findings {
			word := map[bool]string{true: "ok  ", false: "FAIL"}[f.OK]
			line := fmt.Sprintf("%s  %-16s %s\n", word, f.Check, f.Detail)
			if f.Do != "" {
				line += fmt.Sprintf("      %-16s do: %s\n", "", f.Do)
			}
			if _, e := fmt.Fprint(s.out, line); e != nil {
				err = e
			}
		}
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d checks failed", failed, len(findings))
	}
	return err
}

// verdict is ok with a detail, or the error with what to do about it.
func verdict(check, detail, do string, err error) diagnosis {
	if err != nil {
		return diagnosis{Check: check, Detail: err.Error(), Do: do}
	}
	return diagnosis{Check: check, OK: true, Detail: detail}
}

// examine checks everything that the configuration names. What is in the process is made at the start, and needs no check.
func examine(ctx context.Context, cfg *config.Config) []diagnosis {
	if cfg.StoreURL == "" || cfg.BlobURL == "" || cfg.EncryptionKey == "" {
		if err := folders(cfg); err != nil {
			return []diagnosis{verdict("data directory", "", "let TRIBUTARY_DATA_DIR name a folder that this user may write to", err)}
		}
	}
	out := within(ctx, func(ctx context.Context) []diagnosis { return examineStore(ctx, cfg) })
	out = append(out, within(ctx, func(ctx context.Context) []diagnosis { return examineKafka(ctx, cfg) })...)
	out = append(out, within(ctx, func(ctx context.Context) []diagnosis { return examineRedis(ctx, cfg) })...)
	return append(out, within(ctx, func(ctx context.Context) []diagnosis { return examineBlobs(ctx, cfg) })...)
}

func within(ctx context.Context, check func(context.Context) []diagnosis) []diagnosis {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return check(ctx)
}

// absent reports whether a file or folder of the data directory is still to be made by the first start.
func absent(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func examineStore(ctx context.Context, cfg *config.Config) []diagnosis {
	path, embedded := strings.CutPrefix(cfg.StoreURL, "sqlite:")
	if embedded && absent(path) {
		return []diagnosis{
			{Check: "store", OK: true, Detail: path + " is not there: the first start makes it"},
			{Check: "encryption key", OK: true, Detail: "nothing is sealed yet"},
		}
	}
	const reach = "let TRIBUTARY_STORE_URL name a store that runs and can be reached from here, and whose user may read and write"
	db, err := run.OpenStore(ctx, cfg.StoreURL)
	if err != nil {
		return []diagnosis{verdict("store", "", reach, err)}
	}
	defer db.Close() //nolint:errcheck // only read
	if err := db.Ping(ctx); err != nil {
		return []diagnosis{verdict("store", "", reach, err)}
	}
	specs := run.Collections(all.Services()...)
	err = db.Require(ctx, specs...)
	out := []diagnosis{
		{Check: "store", OK: true, Detail: "answers"},
		verdict("store indexes", fmt.Sprintf("those of %d collections are there", len(specs)), "run: tributary store ensure", err),
	}
	if err == nil {
		out = append(out, examineLists(ctx, db))
		out = append(out, verdict("encryption key", "opens what is sealed", "the message says it; see \"Encryption keys\" in docs/guide/secrets.md", proveKey(ctx, cfg, db)))
	}
	if c, ok := db.(clock); ok {
		out = append(out, examineClock(ctx, "clock of store", c))
	}
	return out
}

// examineLists says whether documents of an earlier version are left that no list has.
func examineLists(ctx context.Context, db store.DB) diagnosis {
	for _, c := range run.Lists(db, all.Services()...) {
		left, err := c.Unlisted(ctx, unlistedTo)
		if err == nil && left > 0 {
			err = fmt.Errorf("%d documents of %s, or more, are of an earlier version", left, c.Spec().Name)
		}
		if err != nil {
			return verdict("store documents", "", "run: tributary store migrate (the single binary does so when it starts)", err)
		}
	}
	return diagnosis{Check: "store documents", OK: true, Detail: "all are of this version"}
}

// unlistedTo is how far the documents are counted that are of an earlier version.
const unlistedTo = 1000

// proveKey checks the key as a start does, and writes nothing.
func proveKey(ctx context.Context, cfg *config.Config, db store.DB) error {
	held, err := directory.HoldsSealed(ctx, db)
	if err != nil || !held && cfg.EncryptionKey == "" {
		return err
	}
	if err := keys(ctx, cfg); err != nil { // it reads the file, and makes none where the store holds sealed data
		return err
	}
	all, err := cfg.Keys()
	if err != nil {
		return err
	}
	sealer, err := auth.NewSealer(all...)
	if err != nil || !held {
		return err
	}
	return directory.ProveKey(ctx, db, sealer)
}

func examineKafka(ctx context.Context, cfg *config.Config) []diagnosis {
	if len(cfg.KafkaBrokers) == 0 {
		return []diagnosis{{Check: "kafka", OK: true, Detail: "in the process"}}
	}
	const reach = "let TRIBUTARY_KAFKA_BROKERS (and _TLS, _SASL, _USERNAME, _PASSWORD) name brokers that run and can be reached from here"
	b, err := run.OpenBus(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return []diagnosis{verdict("kafka", "", reach, err)}
	}
	defer b.Close() //nolint:errcheck // only read
	if err := b.Ping(ctx); err != nil {
		return []diagnosis{verdict("kafka", "", reach, err)}
	}
	specs := clusterTopics(mine(cfg).KafkaReplicas)
	return []diagnosis{
		{Check: "kafka", OK: true, Detail: "answers"},
		verdict("kafka topics", fmt.Sprintf("%d are there", len(specs)), "missing ones: run tributary topics ensure; the number of partitions is fixed for the life of a cluster",
			examineTopics(ctx, b, specs)),
	}
}

func examineTopics(ctx context.Context, b bus.Bus, specs []bus.TopicSpec) error {
	var wrong []error
	for _, t := range specs {
		n, err := b.Partitions(ctx, t.Name)
		switch missing := err != nil && fault.Of(err).Code == "topic_missing"; {
		case missing || err == nil && n == 0:
			wrong = append(wrong, fmt.Errorf("%s is missing", t.Name))
		case err != nil:
			return err
		case n != t.Partitions:
			wrong = append(wrong, fmt.Errorf("%s has %d partitions and should have %d", t.Name, n, t.Partitions))
		}
	}
	return errors.Join(wrong...)
}

func examineRedis(ctx context.Context, cfg *config.Config) []diagnosis {
	if cfg.RedisURL == "" {
		return []diagnosis{{Check: "redis", OK: true, Detail: "in the process"}}
	}
	const reach = "let TRIBUTARY_REDIS_URL name a Redis that runs and can be reached from here"
	c, err := cache.Open(cfg.RedisURL)
	if err != nil {
		return []diagnosis{verdict("redis", "", reach, err)}
	}
	defer c.Close() //nolint:errcheck // only read
	if err := c.Ping(ctx); err != nil {
		return []diagnosis{verdict("redis", "", reach, err)}
	}
	return []diagnosis{{Check: "redis", OK: true, Detail: "answers"}, examineClock(ctx, "clock of redis", c)}
}

func examineBlobs(ctx context.Context, cfg *config.Config) []diagnosis {
	if path, ok := strings.CutPrefix(cfg.BlobURL, "file://"); ok && absent(path) {
		return []diagnosis{{Check: "blob store", OK: true, Detail: path + " is not there: the first start makes it"}}
	}
	b, err := blob.Open(ctx, cfg.BlobURL, nil, time.Now)
	if err == nil {
		err = errors.Join(b.Ping(ctx), b.Close())
	}
	return []diagnosis{verdict("blob store", "answers", "let TRIBUTARY_BLOB_URL name a bucket or folder that exists and that this user may read and write", err)}
}

// clock is a server that can be asked for its time.
type clock interface {
	Time(ctx context.Context) (time.Time, error)
}

func examineClock(ctx context.Context, check string, c clock) diagnosis {
	before := time.Now()
	theirs, err := c.Time(ctx)
	if err != nil {
		return verdict(check, "", "let the server tell its time", err)
	}
	skew := time.Since(before)/2 + before.Sub(theirs)
	if skew.Abs() > maxSkew {
		err = fmt.Errorf("our clock differs by %s, more than %s", skew.Round(time.Millisecond), maxSkew)
	}
	return verdict(check, fmt.Sprintf("differs from ours by %s", skew.Round(time.Millisecond)), "let NTP or chrony set the clocks of both machines", err)
}
