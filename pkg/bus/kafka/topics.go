package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const visibleTime = time.Minute // for a new topic to be led, all its partitions

// EnsureTopics implements bus.Bus. It never changes a topic that is there.
func (b *Bus) EnsureTopics(ctx context.Context, ts []bus.TopicSpec) error {
	var missing []bus.TopicSpec
	have, err := b.counts(ctx)
	if err != nil {
		return err
	}
	for _, t := range ts {
		n, ok := have[t.Name]
		switch {
		case !ok:
			missing = append(missing, t)
		case n != t.Partitions:
			return conflict(t, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := b.create(ctx, missing); err != nil {
		return err
	}
	return b.visible(ctx, missing)
}

func conflict(t bus.TopicSpec, n int) error {
	return fault.New(fault.Conflict, "topic_partitions",
		"topic %s has %d partitions and should have %d: the count is fixed for the life of a cluster, so either set it to %d or make a new cluster", t.Name, n, t.Partitions, n)
}

func (b *Bus) create(ctx context.Context, ts []bus.TopicSpec) error {
	req := &kafka.CreateTopicsRequest{}
	for _, t := range ts {
		req.Topics = append(req.Topics, topicConfig(t))
	}
	res, err := b.client.CreateTopics(ctx, req)
	if err != nil {
		return classify("create topics", err)
	}
	for _, name := range slices.Sorted(maps.Keys(res.Errors)) {
		// Another process may have been faster; visible looks at what it made.
		if err := res.Errors[name]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return classify("create topic "+name, err)
		}
	}
	return nil
}

func topicConfig(t bus.TopicSpec) kafka.TopicConfig {
	cfg := maps.Clone(t.Config)
	if cfg == nil {
		cfg = map[string]string{}
	}
	if t.Compacted {
		cfg["cleanup.policy"] = "compact"
	}
	tc := kafka.TopicConfig{Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: t.Replicas}
	if tc.ReplicationFactor == 0 {
		tc.ReplicationFactor = -1
	}
	for _, k := range slices.Sorted(maps.Keys(cfg)) {
		tc.ConfigEntries = append(tc.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: cfg[k]})
	}
	return tc
}

// visible waits until the cluster's metadata shows the topics with the partitions they should have, and the brokers that lead those
// know it too: what has been made can be used at once.
func (b *Bus) visible(ctx context.Context, ts []bus.TopicSpec) error {
	ctx, cancel := context.WithTimeout(ctx, visibleTime)
	defer cancel()
	for {
		waiting, err := b.waiting(ctx, ts)
		if err != nil || waiting == "" {
			return err
		}
		if sleep(ctx, nil, 50*time.Millisecond) {
			return classify("create topics", fmt.Errorf("topic %s does not show: %w", waiting, ctx.Err()))
		}
	}
}

// waiting names a topic that is not yet there.
func (b *Bus) waiting(ctx context.Context, ts []bus.TopicSpec) (string, error) {
	have, err := b.counts(ctx)
	if err != nil {
		return "", err
	}
	for _, t := range ts {
		switch n := have[t.Name]; n {
		case t.Partitions:
		case 0:
			return t.Name, nil
		default:
			return "", conflict(t, n)
		}
	}
	for _, t := range ts {
		if ends, _ := b.Ends(ctx, t.Name); len(ends) == 0 { // an error: only the leader of a partition knows its end
			return t.Name, nil
		}
	}
	return "", nil
}

// counts returns the partition counts of all topics. The first request after a broker's restart may fail, so it is tried twice.
func (b *Bus) counts(ctx context.Context) (map[string]int, error) {
	res, err := b.client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil && !sleep(ctx, nil, 200*time.Millisecond) {
		res, err = b.client.Metadata(ctx, &kafka.MetadataRequest{})
	}
	if err != nil {
		return nil, classify("metadata", err)
	}
	have := make(map[string]int, len(res.Topics))
	for _, t := range res.Topics {
		if t.Error == nil {
			have[t.Name] = len(t.Partitions)
		}
	}
	return have, nil
}
