package embedded

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

// BenchmarkPublish is what waiting for the disk costs a webhook: its record in the journal and its event, by 1, 16 and 64 callers.
func BenchmarkPublish(b *testing.B) {
	for name, options := range map[string][]Option{"sync": nil, "unsynced": {Unsynced()}} {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, callers), func(b *testing.B) {
				br, err := StartBroker(b.Context(), b.TempDir(), "", options...)
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = br.Close() }()
				bus := open(br)
				defer func() { _ = bus.Close() }()
				if err := bus.EnsureTopics(b.Context(), Topics()); err != nil {
					b.Fatal(err)
				}
				b.SetParallelism(callers)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for n := 0; pb.Next(); n++ {
						call := numbered(n)
						call.Topic = event.TopicWebhooks
						if err := bus.Publish(b.Context(), call, numbered(n)); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
