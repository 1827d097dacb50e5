package standalone

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/event"
)

var update = flag.Bool("update", false, "rewrite what is generated")

// charted are keys of the configuration that have values of their own in the chart, or that it sets itself.
var charted = []string{
	"http_addr", "admin_addr", "public_url", "kafka_brokers", "kafka_tls", "kafka_tls_cert", "kafka_tls_key", "kafka_sasl", "kafka_username", "kafka_password", "kafka_replicas", "redis_url",
	"store_url", "blob_url", "encryption_key", "encryption_keys_accepted", "shutdown_delay", "shutdown_drain", "data_dir", "demo", "operations_hosts",
	"bootstrap_api_key", "bootstrap_admin_email", "bootstrap_admin_password", "url", "api_key",
}

// TestTheChartTakesEveryKey compares what the chart's values may say with what the programs read.
func TestTheChartTakesEveryKey(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../charts/tributary/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Config struct {
				Properties map[string]any
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	flags, err := Program().Flags("tributary")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	known := map[string]bool{}
	flags.VisitAll(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		known[key] = true
		if key != "config" && !strings.HasSuffix(key, "_file") && !slices.Contains(charted, key) {
			want = append(want, key)
		}
	})
	slices.Sort(want)
	have := slices.Sorted(maps.Keys(schema.Defs.Config.Properties))
	if !slices.Equal(have, want) {
		t.Errorf("$defs.config.properties of charts/tributary/values.schema.json:\n have %q\n want %q", have, want)
	}
	for _, key := range charted {
		if !known[key] {
			t.Errorf("nothing reads %s", key)
		}
	}
}

// TestTheChartKnowsThePartitions: it refuses more replicas than there are partitions to read.
func TestTheChartKnowsThePartitions(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../charts/tributary/templates/_validate.tpl")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`define "tributary\.partitions" -\}\}(\d+)\{\{`).FindSubmatch(b)
	if m == nil {
		t.Fatal("the chart does not say how many partitions there are")
	}
	for _, topic := range clusterTopics(3) {
		if topic.Name == event.TopicInbound && strconv.Itoa(topic.Partitions) != string(m[1]) {
			t.Errorf("%s has %d partitions, the chart says %s", topic.Name, topic.Partitions, m[1])
		}
	}
}

// TestTheChartKnowsTheTopics compares those that the chart has Strimzi make with those of `topics ensure`; -update rewrites them.
func TestTheChartKnowsTheTopics(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# The topics of a cluster, for Strimzi; written by: go test ./services/standalone -run Chart -update\ntopics:\n")
	for _, topic := range clusterTopics(3) {
		fmt.Fprintf(&b, "  - {name: %s, partitions: %d, compacted: %t}\n", topic.Name, topic.Partitions, topic.Compacted)
		if want := map[string]string{"max.message.bytes": "1000000", "min.insync.replicas": "2"}; !maps.Equal(topic.Config, want) {
			t.Errorf("%s has configuration %v; templates/strimzi.yaml of the chart has %v", topic.Name, topic.Config, want)
		}
	}
	file := "../../charts/tributary/files/topics.yaml"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil || string(have) != b.String() {
		t.Errorf("%s is not current (%v): go test ./services/standalone -run Chart -update", file, err)
	}
}
