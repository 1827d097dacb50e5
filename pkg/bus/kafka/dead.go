package kafka

import (
	"context"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

// The headers that a dead letter has besides those of the original.
const (
	deadPrefix    = "dlq-"
	deadReason    = "dlq-reason"
	deadError     = "dlq-error" // kind, code, field and type of the error, never its text
	deadAttempts  = "dlq-attempts"
	deadTopic     = "dlq-origin-topic"
	deadPartition = "dlq-origin-partition"
	deadOffset    = "dlq-origin-offset"
	deadGroup     = "dlq-group"
	deadFailed    = "dlq-first-failed-at"
	deadVersion   = "dlq-service-version"
)

// burial is why a record becomes a dead letter.
type burial struct {
	reason   string
	err      error
	attempts int
	failed   time.Time
}

// bury writes a dead letter; it tries until the broker takes it. false means that the generation ended first.
func (p *partition) bury(r record, why burial) bool {
	m, _ := decode(r) // what can be read of it
	of := about(p.handling, m, r.headers)
	if r.topic == event.TopicDead { // a dead letter of a dead letter helps nobody
		p.logger.ErrorContext(of, "a dead letter could not be handled: skipped", "offset", r.offset, "error", describe(why.err))
		return true
	}
	for {
		probe, ok := p.gate.enter(p.reading)
		if !ok {
			return false
		}
		ctx, cancel := context.WithTimeout(p.handling, p.sub.Deadline)
		err := p.write(ctx, []kafka.Message{letter(r, p.sub.Group, why)})
		cancel()
		p.gate.leave(probe, err != nil)
		if err == nil {
			break
		}
		p.logger.WarnContext(of, "cannot write a dead letter, will try again", "offset", r.offset, "error", err)
	}
	p.meter.buried(p, why.reason, 1)
	p.logger.ErrorContext(of, "dead letter", "offset", r.offset, "reason", why.reason, "attempts", why.attempts, "error", describe(why.err))
	return true
}

// letter is the original record with the reasons in front of its headers.
func letter(r record, group string, why burial) kafka.Message {
	h := headers{
		{Key: deadReason, Value: []byte(why.reason)},
		{Key: deadError, Value: []byte(describe(why.err))},
		{Key: deadAttempts, Value: []byte(strconv.Itoa(why.attempts))},
		{Key: deadTopic, Value: []byte(r.topic)},
		{Key: deadPartition, Value: []byte(strconv.Itoa(r.partition))},
		{Key: deadOffset, Value: []byte(strconv.FormatInt(r.offset, 10))},
		{Key: deadGroup, Value: []byte(group)},
		{Key: deadFailed, Value: []byte(event.At(why.failed).String())},
		{Key: deadVersion, Value: []byte(version())},
	}
	original := slices.DeleteFunc(slices.Clone(r.headers), func(h kafka.Header) bool { return strings.HasPrefix(h.Key, deadPrefix) })
	return kafka.Message{Topic: event.TopicDead, Key: r.key, Value: r.value, Headers: append(h, original...)}
}

// readDead returns nil if the record is no dead letter.
func readDead(h headers) *bus.Dead {
	if h.Get(deadReason) == "" {
		return nil
	}
	d := &bus.Dead{Reason: h.Get(deadReason), Error: h.Get(deadError), Group: h.Get(deadGroup), Topic: h.Get(deadTopic)}
	d.Attempts, _ = strconv.Atoi(h.Get(deadAttempts)) // written by letter; zero if somebody else wrote it
	d.Partition, _ = strconv.Atoi(h.Get(deadPartition))
	d.Offset, _ = strconv.ParseInt(h.Get(deadOffset), 10, 64)
	d.FirstFailed, _ = time.Parse(event.Layout, h.Get(deadFailed))
	return d
}

var version = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
})
