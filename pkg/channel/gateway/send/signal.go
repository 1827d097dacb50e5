package send

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
)

const (
	signalFor  = 20 * time.Second // a typing dot that is older says nothing
	signalTime = 5 * time.Second
)

// signal makes the calls of a typing, read or acknowledgement signal: once, if the channel has room now, and whatever comes of
// it. Nothing is written and nothing is said. One that says something of the conversation's state is dropped while a message of it waits;
// one that answers something by its handle, such as the press of a button, has no place in that order.
func (o *owner) signal(ctx context.Context, m bus.Message, msg event.Outbound, r rendering) {
	if r.refusal != nil || o.Now().Sub(m.Event.Time.Time) > signalFor {
		return
	}
	if msg.ReplyHandle == "" && o.dispatch.Busy(m.Lane) {
		return
	}
	permit := o.scopes.Enter(r.ch.ID, m.Lane)
	if permit == nil {
		return
	}
	defer permit.Release()
	ctx, cancel := context.WithTimeout(ctx, signalTime)
	defer cancel()
	for _, req := range r.parts {
		v := o.Sender.Send(ctx, r.ch, msg, req, provider.About{})
		permit.Judge(judged(v))
		if v.Finding != dispatch.Taken {
			return
		}
	}
}
