package channeltest

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Benchmark measures Verify and Parse of the inbound case name.
func Benchmark(b *testing.B, a channel.Adapter, name string, opts ...Option) {
	r := newRunner(b, a, opts)
	c := r.parse(b, "testdata/inbound/"+name+".txtar")
	in := c.request(b, r.proofs)
	b.ReportAllocs()
	b.SetBytes(int64(len(in.Body)))
	for b.Loop() {
		if res := r.read(c.ch, in); res.err != nil {
			b.Fatal(res.err)
		}
	}
}
