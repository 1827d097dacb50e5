package telegram

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
)

var options = []channeltest.Option{channeltest.Proof{Header: secretHeader}, channeltest.PeerScopedIDs()}

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}, options...) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}, options...) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}, options...) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}, options...) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "signature_sample", options...) }
