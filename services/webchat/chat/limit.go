package chat

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/budget"
)

type limits struct {
	sessions, visitors, connects, messages, frames, uploads, pages, address, channel *budget.Limits
}

func newLimits(l Limits, now func() time.Time) limits {
	b := func(r budget.Rate) *budget.Limits { return budget.New(r, now) }
	return limits{
		b(l.Sessions), b(l.Visitors), b(l.Connects), b(l.Messages), b(l.Frames), b(l.Uploads), b(l.Pages), b(l.Address), b(l.Channel),
	}
}
