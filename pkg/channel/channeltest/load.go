package channeltest

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Fuzz feeds bodies to the adapter, beginning with those of the golden files: no input may make it panic or produce events
// that cannot be published.
func Fuzz(f *testing.F, a channel.Adapter, opts ...Option) {
	r := newRunner(f, a, opts)
	type template struct {
		ch channel.Keyed
		in channel.Inbound
	}
	var seeds []template
	for n, c := range r.load(f, "inbound") {
		in := c.request(f, r.proofs)
		seeds = append(seeds, template{c.ch, in})
		f.Add(n, in.Body)
	}
	f.Fuzz(func(t *testing.T, n int, body []byte) {
		s := seeds[uint(n)%uint(len(seeds))]
		in := copied(s.in)
		in.Body = body
		r.survives(t, s.ch, in)
	})
}

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
