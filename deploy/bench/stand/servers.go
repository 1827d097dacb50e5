package stand

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// external are the variables that name servers.
var external = []string{"TRIBUTARY_KAFKA_BROKERS", "TRIBUTARY_REDIS_URL", "TRIBUTARY_STORE_URL", "TRIBUTARY_BLOB_URL", "TRIBUTARY_ENCRYPTION_KEY"}

func (s *Stand) outside(ctx context.Context) error {
	for _, k := range external {
		if v := os.Getenv(k); v != "" {
			s.Servers[k] = v
		}
	}
	for _, k := range external[:3] {
		if s.Servers[k] == "" {
			return fmt.Errorf("%s is not set: it names the server to measure on", k)
		}
	}
	var err error
	if s.Servers["TRIBUTARY_STORE_URL"], err = s.database(s.Servers["TRIBUTARY_STORE_URL"]); err != nil {
		return err
	}
	if s.Servers["TRIBUTARY_BLOB_URL"] == "" {
		s.Servers["TRIBUTARY_BLOB_URL"] = "file://" + filepath.Join(s.Dir, "blobs")
	}
	if s.Servers["TRIBUTARY_ENCRYPTION_KEY"] == "" {
		s.Servers["TRIBUTARY_ENCRYPTION_KEY"] = "YmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmU="
	}
	for _, what := range []string{"topics", "store"} {
		cmd := exec.CommandContext(ctx, filepath.Join(s.Bin, single), what, "ensure")
		cmd.Env = s.env()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s ensure: %w: %s", what, err, out)
		}
	}
	return nil
}

// database names a database of this stand's own on the store, so that every stand begins empty.
func (s *Stand) database(store string) (string, error) {
	if strings.HasPrefix(store, "sqlite:") {
		return "sqlite:" + filepath.Join(s.Dir, "tributary.db"), nil
	}
	head, query, _ := strings.Cut(store, "?")
	scheme, hosts, ok := strings.Cut(head, "://") // no URL: it may name several hosts with ports
	if !ok {
		return "", errors.New("TRIBUTARY_STORE_URL: want mongodb://…, mongodb+srv://… or sqlite:<file>")
	}
	hosts, _, _ = strings.Cut(hosts, "/")
	return fmt.Sprintf("%s://%s/bench_%d?%s", scheme, hosts, s.salt, query), nil
}

func (s *Stand) inside() error {
	broker, err := free()
	if err != nil {
		return err
	}
	redis, err := free()
	if err != nil {
		return err
	}
	args := []string{"servers", fmt.Sprintf("--broker-addr=127.0.0.1:%d", broker), fmt.Sprintf("--redis-addr=127.0.0.1:%d", redis)}
	p, err := launch("servers", filepath.Join(s.Bin, single), s.Dir, args, s.env("TRIBUTARY_DATA_DIR="+filepath.Join(s.Dir, "data")))
	if err != nil {
		return err
	}
	s.processes = append(s.processes, p)
	until := time.Now().Add(20 * time.Second)
	for len(s.Servers) < len(external) {
		if time.Now().After(until) || p.ended() {
			return errors.New("the servers did not say where they are: see servers.log")
		}
		time.Sleep(10 * time.Millisecond)
		s.said(filepath.Join(s.Dir, "servers.log"))
	}
	return nil
}

// said reads what "tributary servers" has printed.
func (s *Stand) said(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), "="); ok && slices.Contains(external, k) {
			s.Servers[k] = v
		}
	}
}

// Outside says which servers the environment names, without their addresses.
func Outside() string {
	store, _, _ := strings.Cut(os.Getenv("TRIBUTARY_STORE_URL"), ":")
	return fmt.Sprintf("| servers | %d Kafka brokers, Redis, store %s |\n", 1+strings.Count(os.Getenv("TRIBUTARY_KAFKA_BROKERS"), ","), store)
}
