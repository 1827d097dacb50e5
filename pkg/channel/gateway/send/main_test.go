package send

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	asked := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { asked[f.Name] = true })
	for name, value := range map[string]string{
		"rapid.checks":  "12", // each is a whole life of several processes
		"test.parallel": "8",  // they mostly wait
	} {
		if !asked[name] {
			_ = flag.Set(name, value)
		}
	}
	os.Exit(func() int {
		code := m.Run()
		if err := goleak.Find(goleak.IgnoreTopFunction("internal/poll.runtime_pollWait")); code == 0 && err != nil {
			println(err.Error())
			return 1
		}
		return code
	}())
}
