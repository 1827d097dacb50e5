package send

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked { // each is a whole life of several processes
		_ = flag.Set("rapid.checks", "12")
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
