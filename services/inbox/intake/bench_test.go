package intake_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

// BenchmarkHandle is one inbound message in an open conversation of one of a thousand threads, up to its acknowledgement.
func BenchmarkHandle(b *testing.B) {
	for _, workers := range []int{1, 16} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			w := newWorld(b, `{}`)
			const threads = 1000
			message := func(n int64) event.Inbound {
				ref := fmt.Sprintf("%s-%d", w.id, n)
				return event.Inbound{
					Type: event.MessageReceived, ChannelID: w.channel, ChannelType: event.WhatsApp, Peer: fmt.Sprint(n % threads), Ref: ref,
					ExternalID: "x" + ref, ProviderAt: w.at(), Content: &event.Content{Type: event.Text, Text: "a message of a usual length, as people write them"},
					Sender: &event.Profile{Name: "Ada"},
				}
			}
			for n := range int64(threads) {
				w.must(w.Handle(b.Context(), w.record(message(n))))
			}
			var n atomic.Int64
			n.Store(threads)
			w.store.Reset()
			b.ResetTimer()
			b.SetParallelism(workers)
			if workers == 1 {
				for b.Loop() {
					w.must(w.Handle(b.Context(), w.record(message(n.Add(1)))))
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := w.Handle(b.Context(), w.record(message(n.Add(1)))); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportMetric(float64(n.Load()-threads)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64(w.store.Reads.Load())/float64(n.Load()-threads), "reads/msg")
			b.ReportMetric(float64(w.store.Writes.Load())/float64(n.Load()-threads), "writes/msg")
		})
	}
}

// TestAMessageCostsTwoWrites: the conversation and the message; what is published is taken out of conversations in batches.
func TestAMessageCostsTwoWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	said := func() {
		in := w.text("p", "x")
		in.Sender = &event.Profile{Name: "Ada", Phone: "+44"}
		w.must(w.Handle(t.Context(), w.record(in)))
	}
	said()
	for range 3 {
		w.store.Reset()
		said()
		if r, n := w.store.Reads.Load(), w.store.Writes.Load(); n != 2 || r > 5 {
			t.Errorf("%d writes, want 2; %d reads, want at most 5", n, r)
		}
	}
}

// TestASendIsTwoWrites: the conversation, with the record that the channel acts on, and the message.
func TestASendIsTwoWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{}`)
	in := w.text("p", "x")
	w.must(w.Handle(t.Context(), w.record(in)))
	c := w.conversationOf(in)
	for _, key := range []string{"one", "two"} {
		w.store.Reset()
		w.send(c, key)
		if n := w.store.Writes.Load(); n != 2 {
			t.Errorf("%d writes, want 2", n)
		}
	}
}
