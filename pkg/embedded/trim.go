package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/embedded/redo"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Keep tells, for a partition, the first offset that a reader without a group still needs.
type Keep func(partition int) int64

// Limit bounds a topic that nobody reads with a group.
type Limit struct {
	Age   time.Duration // of the records that are kept; zero means any
	Bytes int64         // of one partition; zero means any
}

// unread are the topics that are read by whoever wants to, not by a group. Nobody waits for what is dropped here.
var unread = map[string]Limit{
	event.TopicWebhooks: {Age: 7 * 24 * time.Hour, Bytes: 256 << 20},
	event.TopicStream:   {Age: time.Hour, Bytes: 32 << 20},
	event.TopicDead:     {Age: 30 * 24 * time.Hour, Bytes: 128 << 20},
}

// trimAfter is how long after the start nothing is trimmed, so that a group that reads for the first time can show itself.
const trimAfter = time.Minute

// forgetAfter is the age of a group's last commit from which it does not count, if it has no members and was not declared.
const forgetAfter = 7 * 24 * time.Hour

// Reads declares that a group reads a topic: nothing is trimmed that it has not committed, also before it joins for the first time.
func (b *Broker) Reads(group string, topics ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range topics {
		if b.readers[t] == nil {
			b.readers[t] = map[string]bool{}
		}
		b.readers[t][group] = true
	}
}

// Keep declares a reader without a group: nothing from the offset on that keep returns is trimmed.
func (b *Broker) Keep(topic string, keep Keep) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keeps[topic] = append(b.keeps[topic], keep)
}

// SetLimit bounds a topic that no group reads; for other topics it has no effect.
func (b *Broker) SetLimit(topic string, l Limit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits[topic] = l
}

// Trim deletes what all readers of a topic have read, except for its last batch, so that its offsets never begin anew. It runs by
// itself every two seconds, from the first minute on.
func (b *Broker) Trim(ctx context.Context) error {
	commits := sync.OnceValue(b.syncCommits) // after the groups were asked, once for all
	return b.survey(ctx, func(topic string, p *kfake.PartitionInfo, groups []*kfake.GroupInfo) error {
		to := min(b.needed(ctx, topic, p, groups), p.HighWatermark-1)
		if to <= p.LogStartOffset {
			return nil
		}
		if err := commits(); err != nil {
			return err
		}
		if b.redo != nil {
			b.redo.Trimmed(redo.Partition{Topic: topic, Number: p.Partition}, to)
		}
		return b.cluster.DeleteRecords(topic, p.Partition, to)
	})
}

// syncCommits brings the commits to the disk that make records needless.
func (b *Broker) syncCommits() error {
	if b.redo == nil {
		return nil
	}
	return b.redo.SyncCommits()
}

// Backlog estimates the bytes of a topic that its readers have not read, as of at most two seconds ago: above Full the caller
// should accept no more.
func (b *Broker) Backlog(topic string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.backlog[topic]
}

// Full is the backlog in bytes from which new work should be refused: a restart reads everything that is kept into memory.
const Full = 512 << 20

// Measure brings Backlog up to date. It runs by itself every two seconds.
func (b *Broker) Measure(ctx context.Context) error {
	sizes := map[string]int64{}
	err := b.survey(ctx, func(topic string, p *kfake.PartitionInfo, groups []*kfake.GroupInfo) error {
		low, read := b.lowest(topic, p, groups)
		if held := p.HighWatermark - p.LogStartOffset; read && held > 0 {
			sizes[topic] += p.NumBytes * max(p.HighWatermark-low, 0) / held
		}
		return nil
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backlog = sizes
	return err
}

func (b *Broker) sweep(ctx context.Context) error {
	if time.Since(b.started) < trimAfter {
		return b.Measure(ctx)
	}
	return errors.Join(b.Trim(ctx), b.Measure(ctx))
}

// survey visits every partition.
func (b *Broker) survey(ctx context.Context, visit func(topic string, p *kfake.PartitionInfo, groups []*kfake.GroupInfo) error) error {
	topics, err := b.topics(ctx)
	if err != nil {
		return err
	}
	groups, err := b.groups(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range topics {
		errs = append(errs, b.keepForever(ctx, t))
		for _, p := range b.cluster.PartitionInfos(t) {
			errs = append(errs, visit(t, p, groups))
		}
	}
	return errors.Join(errs...)
}

// needed is the first offset of a partition that somebody still needs.
func (b *Broker) needed(ctx context.Context, topic string, p *kfake.PartitionInfo, groups []*kfake.GroupInfo) int64 {
	low, read := b.lowest(topic, p, groups)
	if read {
		return low
	}
	b.mu.Lock()
	limit := b.limits[topic]
	b.mu.Unlock()
	return limit.from(ctx, b, topic, p)
}

// lowest is the lowest offset that the readers of a partition have come to; read is false if there are none.
func (b *Broker) lowest(topic string, p *kfake.PartitionInfo, groups []*kfake.GroupInfo) (low int64, read bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	low = p.HighWatermark
	seen := map[string]bool{}
	for _, g := range groups {
		if declared := b.readers[topic][g.Group]; !declared && (!reads(g, topic) || forgotten(g)) {
			continue
		}
		seen[g.Group] = true
		low = min(low, max(g.Commits[topic][p.Partition].Offset, p.LogStartOffset))
	}
	for g := range b.readers[topic] {
		if !seen[g] {
			low = p.LogStartOffset // it has not come yet
		}
	}
	for _, keep := range b.keeps[topic] {
		low = min(low, keep(int(p.Partition)))
	}
	return low, len(seen)+len(b.readers[topic])+len(b.keeps[topic]) > 0
}

// forgotten tells a group that nobody has been a member of for so long that it will not come back, such as that of a service
// that was taken out. It would hold up its topics for ever.
func forgotten(g *kfake.GroupInfo) bool {
	newest := time.Time{}
	for _, ps := range g.Commits {
		for _, c := range ps {
			if c.At.After(newest) {
				newest = c.At
			}
		}
	}
	return len(g.Members) == 0 && time.Since(newest) > forgetAfter
}

func reads(g *kfake.GroupInfo, topic string) bool {
	if len(g.Commits[topic]) > 0 {
		return true
	}
	for _, m := range g.Members {
		for _, t := range m.SubscribedTopics {
			if t == topic {
				return true
			}
		}
	}
	return false
}

// from is the first offset that the limit keeps.
func (l Limit) from(ctx context.Context, b *Broker, topic string, p *kfake.PartitionInfo) int64 {
	from := p.LogStartOffset
	if l.Age > 0 {
		if o, err := b.since(ctx, topic, p, time.Now().Add(-l.Age)); err == nil {
			from = max(from, o)
		}
	}
	if l.Bytes > 0 && p.NumBytes > l.Bytes {
		from = max(from, p.HighWatermark-(p.HighWatermark-p.LogStartOffset)*l.Bytes/p.NumBytes)
	}
	return from
}

// since is the offset of the first record that is not older than at.
func (b *Broker) since(ctx context.Context, topic string, p *kfake.PartitionInfo, at time.Time) (int64, error) {
	if p.MaxTimestamp < at.UnixMilli() {
		return p.HighWatermark, nil
	}
	req := kmsg.NewPtrListOffsetsRequest()
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	ask := kmsg.NewListOffsetsRequestTopicPartition()
	ask.Partition, ask.Timestamp = p.Partition, at.UnixMilli()
	t.Partitions = append(t.Partitions, ask)
	req.Topics = append(req.Topics, t)
	res, err := req.RequestWith(ctx, b.admin)
	if err != nil {
		return 0, err
	}
	got := res.Topics[0].Partitions[0]
	if got.Offset < 0 {
		return p.LogStartOffset, kerr.ErrorForCode(got.ErrorCode)
	}
	return got.Offset, kerr.ErrorForCode(got.ErrorCode)
}

func (b *Broker) topics(ctx context.Context) ([]string, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // all
	res, err := req.RequestWith(ctx, b.admin)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var names []string
	for _, t := range res.Topics {
		if t.Topic != nil {
			names = append(names, *t.Topic)
		}
	}
	return names, nil
}

func (b *Broker) groups(ctx context.Context) ([]*kfake.GroupInfo, error) {
	res, err := kmsg.NewPtrListGroupsRequest().RequestWith(ctx, b.admin)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	var gs []*kfake.GroupInfo
	for _, g := range res.Groups {
		if i := b.cluster.GroupInfo(g.Group); i != nil {
			gs = append(gs, i)
		}
	}
	return gs, nil
}

// keepForever makes sure that a topic, whoever created it, is never trimmed by age or size.
func (b *Broker) keepForever(ctx context.Context, topic string) error {
	info := b.cluster.TopicInfo(topic)
	if info == nil {
		return nil
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	for k, v := range keepAll {
		if have := info.Configs[k]; have == nil || *have != v {
			c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			c.Name, c.Value, c.Op = k, kmsg.StringPtr(v), kmsg.IncrementalAlterConfigOpSet
			r.Configs = append(r.Configs, c)
		}
	}
	if len(r.Configs) == 0 {
		return nil
	}
	req.Resources = append(req.Resources, r)
	res, err := req.RequestWith(ctx, b.admin)
	if err != nil {
		return fmt.Errorf("retention of %s: %w", topic, err)
	}
	return kerr.ErrorForCode(res.Resources[0].ErrorCode)
}
