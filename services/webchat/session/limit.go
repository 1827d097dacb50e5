package session

import (
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

type limits struct {
	sessions, visitors, connects, messages, frames, uploads, pages, address, channel *budget.Limits
	bytes                                                                            [4]*budget.Limits // of a visitor, an address, a channel, a tenant
}

func newLimits(l Limits, now func() time.Time) limits {
	b := func(r budget.Rate) *budget.Limits { return budget.New(r, now) }
	return limits{
		b(l.Sessions), b(l.Visitors), b(l.Connects), b(l.Messages), b(l.Frames), b(l.Uploads), b(l.Pages), b(l.Address), b(l.Channel),
		[4]*budget.Limits{b(l.Bytes.Visitor), b(l.Bytes.Address), b(l.Bytes.Channel), b(l.Bytes.Tenant)},
	}
}

// upload takes the budgets of a file of so many bytes; -1 stands for as many as a file may have. Who is over their own limit costs
// others nothing.
func (l *limits) upload(c *gin.Context, v session, size int64) error {
	if size < 0 {
		size = maxFile
	}
	if err := l.uploads.Take(v.Subject); err != nil {
		return err
	}
	for i, key := range []string{v.Subject, httpapi.Source(c), channelOf(c).ID, v.Tenant} {
		if err := l.bytes[i].TakeN(key, int(size)); err != nil {
			return err
		}
	}
	return nil
}
