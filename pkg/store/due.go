package store

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Due returns documents whose time in a field has come, earliest first, at most limit of them. The times were set at most some
// time ahead: those that lie further ahead are due too, because the clock was set back since ([due.Passed]). The field leads an
// index.
func (c *Collection[T]) Due(ctx context.Context, field string, now event.Time, most time.Duration, limit int) ([]*T, error) {
	var out []*T
	for _, r := range dueRanges(field, now, most) {
		docs, _, _, err := c.Query(ctx, Query{Range: r, Limit: limit - len(out)})
		if err != nil {
			return nil, err
		}
		if out = append(out, docs...); len(out) >= limit {
			break
		}
	}
	return out, nil
}

func dueRanges(field string, now event.Time, most time.Duration) []*Range {
	past := &Range{Field: field, To: now.String(), ToIncl: true}
	if most == due.AnyTime {
		return []*Range{past}
	}
	return []*Range{past, {Field: field, From: now.Add(most + due.Skew).String(), FromExcl: true}}
}
