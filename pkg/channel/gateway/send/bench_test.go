package send

import (
	"fmt"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// BenchmarkSend sends b.N messages to 200 people of one channel over HTTP to a provider in the same process.
func BenchmarkSend(b *testing.B) {
	for name, places := range map[string]int{"most wait": 16, "all at once": 256} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, nil, func(i *channel.Info) { i.Send.Concurrency = places })
			for n := range b.N {
				w.post(text("ch_a", fmt.Sprint("p", n%200), fmt.Sprint("a", n), "hello"))
			}
			b.ResetTimer()
			p := w.start(0)
			for end := time.Now().Add(5 * time.Minute); len(w.receipts.Records()) < b.N && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
			b.StopTimer()
			p.end()
			w.check()
		})
	}
}
