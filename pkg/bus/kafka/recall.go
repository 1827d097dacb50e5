package kafka

import "context"

// laneShare is the part of a partition's places, 1/laneShare, that one key may take.
const laneShare = 8

// recall reads records again that were set aside, as many of the first as one fetch brings and as there is room for. It waits
// for room for one record only, while it holds none, so that lanes cannot wait for each other.
func (p *partition) recall(aside []*entry) (items []item, gone int, ok bool) {
	c := &cursor{place: p.cursor.place, source: p.cursor.source, offset: aside[0].offset, apart: true, jumped: p.jumped}
	for pause := gateMin; gone == 0; {
		ctx, alive := p.living(aside[0].offset)
		if !alive {
			return nil, 0, false
		}
		recs, err := c.next(ctx)
		if err != nil && ctx.Err() == nil {
			p.logger.Warn("cannot read again what was set aside, will try again", "error", describe(err), "cause", err)
			sleep(ctx, nil, jitter(pause))
			pause = min(2*pause, gateMax)
		}
		items, gone = p.match(ctx, recs, aside)
	}
	return items, gone, true
}

// living returns the context under which a record's handling may go on: the generation's, and after its end the drain's for what
// the drain must finish.
func (p *partition) living(offset int64) (context.Context, bool) {
	if p.reading.Err() == nil {
		return p.reading, true
	}
	return p.handling, p.fills(offset)
}

// match picks the records that were set aside out of what was read from the first of them on. Those that are not in the log any
// more are lost, and done. It stops early when ctx ends.
func (p *partition) match(ctx context.Context, recs []record, aside []*entry) (items []item, gone int) {
	for _, r := range recs {
		for gone < len(aside) && aside[gone].offset < r.offset {
			p.jumped(aside[gone].offset, aside[gone].offset+1)
			p.track.mark(aside[gone])
			gone++
		}
		if gone == len(aside) {
			break
		}
		if aside[gone].offset != r.offset {
			continue
		}
		weight := p.weigh(r)
		if !p.room.TryAcquire(weight) && (len(items) > 0 || p.room.Acquire(ctx, weight) != nil) {
			return items, gone
		}
		items = append(items, item{record: r, entry: aside[gone], weight: weight})
		gone++
	}
	return items, gone
}

// weigh is what a record in flight takes of the partition's room, at most all of it.
func (p *partition) weigh(r record) int64 {
	return min(max(recordWeight, int64(len(r.value))), int64(p.sub.InFlight)*recordWeight)
}
