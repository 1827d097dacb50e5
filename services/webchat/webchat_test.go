package webchat

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
)

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "sample_message") }
