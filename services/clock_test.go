package services_test

import (
	"strings"
	"testing"
)

// unixMoments are the places that use the wall clock's nanoseconds as a number: for ids, and for windows that replicas
// share.
var unixMoments = map[string]bool{
	"pkg/channel/gateway/ingress/spool.go": true, "pkg/cache/limiter.go": true, "services/standalone/demo.go": true,
	"pkg/bus/bustest/real.go": true, "pkg/store/mongo/fresh/fresh.go": true, "services/standalone/e2e/real.go": true,
}

// A moment that is kept as a number of nanoseconds has lost the monotonic reading: what is measured from it is wrong by
// any step of the wall clock. Such moments are of type due.Mark.
func TestDurationsAreMeasuredByTheMonotonicClock(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		path := f.dir + "/" + f.name
		if strings.HasSuffix(f.name, "_test.go") || unixMoments[path] || strings.HasPrefix(path, "services/simulator/") {
			continue
		}
		if strings.Contains(f.source, ".UnixNano()") {
			t.Errorf("%s keeps a moment as Unix nanoseconds: use due.Mark", path)
		}
	}
}
