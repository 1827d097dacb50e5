package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// classify turns an error of kafka-go into a fault. Nearly all are Unavailable: whatever is wrong with a broker, also wrong
// credentials, is no reason to give up a record.
func classify(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return fmt.Errorf("bus: %s: %w", what, err)
	}
	kind, code := kindOf(err)
	return &fault.Error{Kind: kind, Code: code, Err: fmt.Errorf("bus: %s: %w", what, err)}
}

func kindOf(err error) (fault.Kind, string) {
	switch {
	case errors.Is(err, kafka.MessageSizeTooLarge):
		return fault.Invalid, "record_too_large"
	case errors.Is(err, kafka.InvalidTopic):
		return fault.Invalid, "topic_invalid"
	case errors.Is(err, kafka.UnknownTopicOrPartition):
		return fault.Unavailable, "topic_missing"
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.GroupAuthorizationFailed),
		errors.Is(err, kafka.ClusterAuthorizationFailed), errors.Is(err, kafka.SASLAuthenticationFailed):
		return fault.Unavailable, "broker_denied"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.Unavailable, "broker_timeout"
	}
	return fault.Unavailable, "broker_unavailable"
}
