package kafka

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// layout knows the partitions of topics and the brokers that lead them, as the transport has learnt it from the cluster.
type layout struct {
	client *kafka.Client

	mu     sync.Mutex
	topics map[string]leaders
}

// leaders are broker ids by partition, noLeader where there is none.
type leaders struct {
	of []int
	at time.Time
}

const (
	layoutFor = time.Second // what the transport says is believed so long: to ask it for every record costs more than the record
	noLeader  = -1
)

// place is a partition of a topic.
type place struct {
	topic     string
	partition int
}

func (p place) at() place { return p }

// errUnanswered is a response that leaves out a partition of the request.
var errUnanswered = errors.New("the broker did not answer for the partition")

// byTopic sorts what a request has for partitions by topic; the topic that comes first is first.
func byTopic[T interface{ at() place }](all []T) iter.Seq2[string, []T] {
	var topics []string
	of := map[string][]T{}
	for _, x := range all {
		topic := x.at().topic
		if of[topic] == nil {
			topics = append(topics, topic)
		}
		of[topic] = append(of[topic], x)
	}
	return func(yield func(string, []T) bool) {
		for _, topic := range topics {
			if !yield(topic, of[topic]) {
				return
			}
		}
	}
}

func newLayout(client *kafka.Client) *layout {
	return &layout{client: client, topics: map[string]leaders{}}
}

// leaders returns the leader of each partition of a topic. What it returns must not be changed. If the cluster does not answer,
// what was known last is used: a request to a broker that does not lead any more is refused and made again.
func (l *layout) leaders(ctx context.Context, topic string) ([]int, error) {
	have, ok := l.last(topic)
	if ok && time.Since(have.at) < layoutFor {
		return have.of, nil
	}
	of, err := l.ask(ctx, topic)
	if err != nil && ok {
		return have.of, nil
	}
	return of, err
}

func (l *layout) last(topic string) (leaders, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	have, ok := l.topics[topic]
	return have, ok
}

func (l *layout) ask(ctx context.Context, topic string) ([]int, error) {
	res, err := l.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	switch {
	case err != nil:
		return nil, err
	case len(res.Topics) != 1:
		return nil, errors.New("no answer about " + topic)
	case res.Topics[0].Error != nil:
		return nil, res.Topics[0].Error
	}
	of := make([]int, len(res.Topics[0].Partitions))
	for i := range of {
		of[i] = noLeader
	}
	for _, p := range res.Topics[0].Partitions {
		if p.ID < len(of) && p.Leader.Host != "" {
			of[p.ID] = p.Leader.ID
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = leaders{of, time.Now()}
	return of, nil
}

// partitions counts those of a topic. The number is fixed for the life of a cluster, so that it is asked for once.
func (l *layout) partitions(ctx context.Context, topic string) (int, error) {
	if have, ok := l.last(topic); ok {
		return len(have.of), nil
	}
	of, err := l.leaders(ctx, topic)
	return len(of), err
}

// leader returns the broker that leads a partition, noLeader if there is none or nobody knows.
func (l *layout) leader(ctx context.Context, at place) int {
	of, err := l.leaders(ctx, at.topic)
	if err != nil || at.partition >= len(of) {
		return noLeader
	}
	return of[at.partition]
}

// known is the leader that the last answer named, without asking again.
func (l *layout) known(at place) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of := l.topics[at.topic].of; at.partition < len(of) {
		return of[at.partition]
	}
	return noLeader
}

// forget makes the next question go to the transport: something was answered that does not fit.
func (l *layout) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for topic, have := range l.topics {
		l.topics[topic] = leaders{of: have.of}
	}
}
