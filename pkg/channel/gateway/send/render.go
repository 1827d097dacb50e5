package send

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
)

const sendFor = 72 * time.Hour // how long a row may wait if the message does not say

// rendering is a message ready to be sent, or the reason why it must not be.
type rendering struct {
	tenant  string
	source  event.Outbound // as it came
	ch      channel.Keyed
	rules   channel.Rules  // of the thread
	msg     event.Outbound // as the adapter rendered it
	parts   []channel.Request
	refusal *fault.Error
}

// render finds the message's channel and has the adapter make its requests. What cannot succeed is refused here, before the
// provider is called (promise P8). The error is our own trouble: nothing is known about the message.
func (w *Worker) render(ctx context.Context, tenant string, msg event.Outbound) (r rendering, err error) {
	r.tenant, r.source = tenant, msg
	if now := w.Now(); !msg.ReplyUntil.IsZero() && !now.Before(msg.ReplyUntil.Time) {
		msg.ReplyHandle, msg.ReplyUntil = "", event.Time{} // it has waited longer than the handle is taken
	}
	r.msg = msg
	r.ch, err = w.Channels.Channel(ctx, msg.ChannelID)
	switch {
	case fault.Is(err, fault.Gone), err == nil && (r.ch.Tenant != tenant || r.ch.Type != w.info.Type):
		r.refusal = fault.New(fault.Gone, "channel_gone", "channel %s is not there any more", msg.ChannelID)
	case err != nil:
		return r, fmt.Errorf("channel %s: %w", msg.ChannelID, dispatch.Away(err))
	case !r.ch.Enabled:
		r.refusal = fault.New(fault.Gone, "channel_disabled", "channel %s is switched off", msg.ChannelID)
	default:
		r.ch.WebhookURL = channel.WebhookURL(w.PublicURL, r.ch.Type, r.ch.ID)
		all := w.info.For(r.ch.Settings)
		r.rules = all.Under(msg.Post)
		w.scopes.Adopt(r.ch.ID, limits(r.rules.Send))
		r.msg.Content = r.rules.Linked(msg.Content, func(a event.Attachment) string { return w.Files.Link(fileurl.Of(tenant, a)) })
		r.parts, r.refusal = w.requests(all, r.ch.Channel, r.msg)
	}
	if n := resumed(msg); r.refusal == nil && n > 0 && n != len(r.parts) {
		r.refusal = dispatch.ErrChanged // the parts that have arrived are not those of this rendering
	}
	if r.refusal != nil {
		r.parts = make([]channel.Request, max(1, resumed(msg)))
	}
	return r, nil
}
func (w *Worker) requests(rules channel.Rules, ch channel.Channel, msg event.Outbound) ([]channel.Request, *fault.Error) {
	if err := rules.Admit(msg, w.Now()); err != nil {
		return nil, fault.Of(err)
	}
	parts, err := w.Adapter.Render(ch, msg)
	if err != nil {
		return nil, fault.Of(err)
	}
	if len(parts) == 0 {
		return nil, fault.New(fault.Invalid, "empty_message", "there is nothing to send")
	}
	return parts, nil
}

// resumed returns into how many parts the attempts that this one goes on from have rendered the message; zero if it goes on from none,
// or if that is not known.
func resumed(msg event.Outbound) int {
	if msg.Resume == nil {
		return 0
	}
	return msg.Resume.Parts
}

func sendBy(msg event.Outbound, now time.Time) event.Time {
	switch {
	case !msg.SendBy.IsZero():
		return msg.SendBy
	case !msg.CreatedAt.IsZero():
		return msg.CreatedAt.Add(sendFor)
	}
	return event.At(now.Add(sendFor))
}
