package history

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// suffer lets one thing go wrong, for as long as the plan says.
func (p *platform) suffer(f fault) {
	broken := func(key kmsg.Key, err *kerr.Error) {
		h := p.broker.Fail(key, err, -1)
		time.Sleep(f.lasts) // how long it lasts
		h.Remove()
		p.faults.Add(int64(h.Hits()))
	}
	under := func(w weather) {
		before := p.db.failed.Load()
		p.db.now.Store(int32(w))
		time.Sleep(f.lasts)
		p.db.now.Store(int32(fair))
		p.faults.Add(max(p.db.failed.Load()-before, 1))
	}
	switch f.what {
	case "kill", "stop":
		p.replace(f.which, f.what == "kill")
	case "cut":
		p.broker.Cut()
		time.Sleep(f.lasts)
		p.broker.Heal()
		p.faults.Add(1)
	case "produce":
		broken(kmsg.Produce, kerr.NotEnoughReplicasAfterAppend) // it was written, and nobody is told
	case "commit":
		broken(kmsg.OffsetCommit, kerr.CoordinatorLoadInProgress)
	case "group":
		broken(kmsg.Heartbeat, kerr.RebalanceInProgress)
	case "fetch":
		broken(kmsg.Fetch, kerr.NotLeaderForPartition)
	case "storm":
		under(stormy)
	case "slow":
		under(slow)
	case "freeze":
		under(frozen)
	case "redis":
		p.redis.away()
		time.Sleep(f.lasts)
		p.redis.back(p)
		p.faults.Add(1)
	}
}

// setClock sets the wall clock of the platform, and right again if the plan says so.
func (p *platform) setClock(s step) {
	p.ahead.Add(int64(s.by))
	p.faults.Add(1)
	time.Sleep(s.lasts) // how long it lasts
	if s.back {
		p.ahead.Add(-int64(s.by))
		p.faults.Add(1)
	}
}
