// Package bus is kafka-go behind one door: producer, consumer runtime, reading without a group, dead letters, topic
// admin.
//
// Order is kept per lane: the key of a record, or what its producer names besides. The runtime (docs/ARCHITECTURE.md, Consumers)
// is built on ConsumerGroup generations: one reader per partition, only the contiguous low-water mark committed, drain and commit at the
// generation's end.
package bus

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Message is an event that was read from a topic.
type Message struct {
	Topic     string
	Partition int
	Offset    int64
	Key       string
	Lane      string    // in what order it is handled: after all earlier records of its lane; the key where its producer named none
	Time      time.Time // when the broker or producer stamped it
	Event     event.Event
	Dead      *Dead // why it is a dead letter; nil for all other records
}

// Producer writes events. There is one per process.
type Producer interface {
	// Publish returns once every record is acknowledged by all in-sync replicas. Records of one key keep their order.
	// An error means that nothing is known: any of them may have been written, now or later. But none of a topic and
	// key is written unless all of them that are in front of it in the call are.
	Publish(ctx context.Context, recs ...event.Record) error
}

// Handler handles one record; records of one lane come one after the other, records of different lanes at once. nil means
// done. An error of kind Invalid is poison: the record goes to the dead letters at once. Any other error is retried in
// place with jitter while only that lane waits; after the subscription's patience it is a dead letter too, unless the
// kind is Unavailable: then the whole partition stops reading and tries for ever (our own store or broker is away).
type Handler func(ctx context.Context, m Message) error

// Subscription is what a service consumes with one group.
type Subscription struct {
	Group  string
	Topics []string
	// Types names the events that concern the subscription; all others are done at once. None: all of them concern it.
	Types []event.Type
	// Handle handles records. Exactly one of Handle and Assign is set.
	Handle Handler
	// Assign is called when a generation gives this member a partition, before its first record. It returns that
	// partition's handler. ctx ends when the partition is lost; the runtime then waits for handlers in progress, up to
	// Drain. release, if not nil, is called after the last handler has returned or was abandoned.
	Assign func(ctx context.Context, p Assignment) (h Handler, release func(), err error)
	// Together, if not nil, is offered records of one lane that wait one behind the other, 2 to 64 of them, before
	// Handle is. It returns how many of the first it has done, none if it would rather not. Handle gets the next one,
	// and with it whatever goes wrong. It is for handlers whose cost is mostly the commit.
	Together func(ctx context.Context, ms []Message) (done int)
	// Deadline bounds one call of the handler; zero means 30 s.
	Deadline time.Duration
	// InFlight bounds the records of one partition in flight; zero means 1,000.
	InFlight int
	// AtOnce bounds the handlers of this subscription that run at once in this process; zero is no bound. It is for
	// handlers that wait for our own store only: more of them at once are no faster, and make everybody else wait for a
	// processor.
	AtOnce int
	// Linger is how long partitions that want more wait for others, to be asked for together; zero means the bus's. It
	// makes a subscription that nobody waits for cheaper.
	Linger time.Duration
	// Patience bounds retries of one record that fails with an error that is neither Invalid nor Unavailable; zero
	// means 5 s.
	Patience time.Duration
	// Drain bounds how long the end of a generation waits for handlers in progress, and for records below theirs; zero
	// means 10 s, less if sessions are short.
	Drain time.Duration
}

// Assignment is a partition given to this member for one generation.
type Assignment struct {
	Topic      string
	Partition  int
	Offset     int64 // the first offset this generation will read
	Generation int32
}

// Bus is everything a process does with Kafka.
type Bus interface {
	Producer
	// Consume runs a subscription until ctx ends, then drains, commits and leaves the group.
	Consume(ctx context.Context, s Subscription) error
	// Follow reads all partitions of a topic without a group until ctx ends: each record once, from the given position.
	// caughtUp, if not nil, is called once everything that was in the topic at the start has been handled.
	Follow(ctx context.Context, topic string, from Position, h Handler, caughtUp func()) error
	// ReadFrom returns up to limit records of one partition from offset on, without waiting for more to come; from
	// below the log's start it returns ErrTrimmed. The offset Oldest is the log's start.
	ReadFrom(ctx context.Context, topic string, partition int, offset int64, limit int) ([]Message, error)
	// Ends returns the first offset behind the newest record of every partition of topic.
	Ends(ctx context.Context, topic string) (map[int]int64, error)
	// PartitionOf tells which partition of topic a key lies in.
	PartitionOf(ctx context.Context, topic, key string) (int, error)
	// Partitions counts the partitions of topic. Unlike Ends it asks for nothing but the cluster's layout.
	Partitions(ctx context.Context, topic string) (int, error)
	// EnsureTopics creates missing topics and fails if one exists with another partition count.
	EnsureTopics(ctx context.Context, ts []TopicSpec) error
	// Ping asks a broker whether it is there, for as long as ctx lasts.
	Ping(ctx context.Context) error
	// Alive is an error if a subscription has made no progress for long although the brokers answer: only a new process can help. It
	// asks nobody.
	Alive() error
	Close() error
}

// TopicSpec is a topic to be there.
type TopicSpec struct {
	Name       string
	Partitions int
	Replicas   int // -1: the broker's default
	Compacted  bool
	Config     map[string]string
}

// Position says where Follow begins.
type Position uint8

// The positions.
const (
	Beginning Position = iota
	End
)

// Oldest is the offset with which ReadFrom begins at the log's start.
const Oldest = -2

// ErrTrimmed says that the wanted offset is older than the log.
var ErrTrimmed = errors.New("bus: the offset is older than the log")
