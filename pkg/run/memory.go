package run

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	giveBackEvery = time.Minute
	idleCycles    = 2        // collections of a minute without load: the runtime's own are two minutes apart
	slack         = 64 << 20 // bytes of a process at rest that are not worth a collection
)

// memory is what the runtime holds of the machine's, beside what lives.
type memory struct {
	held, live uint64 // bytes
	cycles     uint64 // collections since the start
}

func readMemory() memory {
	s := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(s)
	return memory{held: s[0].Value.Uint64() - s[1].Value.Uint64(), live: s[2].Value.Uint64(), cycles: s[3].Value.Uint64()}
}

// excessive reports whether a process that has come to rest holds far more than what lives: the runtime gives back only what its
// goal for the next collection does not allow for, which stays where the last load left it. after is what it held when the last
// attempt was over; what that could not give back is not tried again.
func (m memory) excessive(before memory, after uint64) bool {
	return m.cycles-before.cycles <= idleCycles && m.held > 2*m.live+slack && m.held > after+slack/2
}

// giveBack returns memory to the operating system, at most once a minute and only when load is over.
func giveBack(ctx context.Context) error {
	tick := time.NewTicker(giveBackEvery)
	defer tick.Stop()
	before, after := readMemory(), uint64(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := readMemory()
		if now.excessive(before, after) {
			debug.FreeOSMemory()
			now = readMemory()
			after = now.held
		}
		before, after = now, min(after, now.held)
	}
}
