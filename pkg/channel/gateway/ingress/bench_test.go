package ingress

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// BenchmarkWebhook posts small signed webhooks, 64 at once, into a real broker in the same process. cpu-ms/op is the CPU time of the
// process, the broker's included.
func BenchmarkWebhook(b *testing.B) {
	ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", "")
	g := New(Deps{
		Adapter: channel.Guard(gatewaytest.Toy{Kind: event.Telegram}), Source: "telegram", Channels: gatewaytest.NewChannels(ch),
		Bus: bustest.New(b), Blobs: gatewaytest.Blobs(b),
		DB: storetest.New(b, Specs(event.Telegram)...), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	e := httpapi.New()
	g.Routes(e)
	var n atomic.Int64
	var bad atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := fmt.Appendf(nil, `{"events":[{"type":"message.received","ref":"m%d","peer":"p%d","external_id":"x","content":{"type":"text","text":"hello there, how are you today?"}}]}`, n.Add(1), n.Load()%500)
			req := httptest.NewRequest(http.MethodPost, "/webhooks/telegram/ch_a", bytes.NewReader(body))
			req.Header.Set("X-Toy-Signature", gatewaytest.Sign(ch, body))
			w := httptest.NewRecorder()
			e.ServeHTTP(w, req)
			if w.Code != http.StatusOK {
				bad.Add(1)
			}
		}
	})
	b.ReportMetric(float64((cpu()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	if bad.Load() > 0 {
		b.Errorf("%d were not accepted", bad.Load())
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
