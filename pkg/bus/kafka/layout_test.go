package kafka

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// A cluster that is slow to say who leads what refuses no record: the number of partitions is fixed, and a leader that has moved
// says so itself.
func TestWhatWasKnownServesWhileTheClusterDoesNotAnswer(t *testing.T) {
	t.Parallel()
	l := newLayout(&kafka.Client{Addr: kafka.TCP("127.0.0.1:1"), Timeout: 50 * time.Millisecond})
	l.topics["known"] = leaders{of: []int{1, 2, noLeader}} // a long time ago
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if n, err := l.partitions(ctx, "known"); n != 3 || err != nil {
		t.Errorf("%d partitions, %v", n, err)
	}
	if of, err := l.leaders(ctx, "known"); !slices.Equal(of, []int{1, 2, noLeader}) || err != nil {
		t.Errorf("leaders %v, %v", of, err)
	}
	if _, err := l.partitions(ctx, "unknown"); err == nil {
		t.Error("the partitions of a topic that was never seen are known")
	}
}
