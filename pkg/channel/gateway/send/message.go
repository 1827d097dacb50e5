package send

import (
	"context"
	"errors"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
)

// message is a rendered message in the hands of the engine: it implements dispatch.Calls.
type message struct {
	*Worker
	rendering
}

// task is what the engine is asked to call for a rendered message.
func (w *Worker) task(r rendering) *dispatch.Task[*Row] {
	t := &dispatch.Task[*Row]{
		Tenant: r.tenant, Scope: r.source.ChannelID, Refuse: r.refusal, SendBy: sendBy(r.source, w.Now()),
		Budget: r.rules.Send.CallTime(len(r.msg.Content.Attachments) > 0, callTime, w.Upload),
		Parts:  make([]dispatch.Part, len(r.parts)), Calls: message{w, r},
	}
	if r.source.Resume != nil {
		t.Skip = r.source.Resume.Skip
	}
	twice := r.sameTwice()
	for n, req := range r.parts {
		t.Parts[n] = dispatch.Part{Repeatable: twice || r.repeatable(req), Keyless: twice && req.Key == ""}
	}
	return t
}

// Task implements dispatch.Kind.
func (w *Worker) Task(ctx context.Context, row *Row) (*dispatch.Task[*Row], error) {
	if row.Outbound == nil { // cannot be: an open row that waited has its message
		return nil, errors.New("an open row without its message")
	}
	r, err := w.render(ctx, row.Tenant, *row.Outbound)
	if err != nil {
		return nil, err
	}
	return w.task(r), nil
}

// repeatable reports whether a call of unknown outcome may be made again: the provider knows a repetition by its key, or the channel's
// owner prefers twice over perhaps never (policy on_unknown: retry).
func (r rendering) repeatable(req channel.Request) bool {
	return r.rules.Send.Idempotent && req.Key != "" || r.ch.Policy.OnUnknown == channel.RetryUnknown
}

// sameTwice reports whether what is called is an action that has the same effect twice as once.
func (r rendering) sameTwice() bool {
	return r.msg.Action != nil && r.rules.Send.Actions[r.msg.Action.Kind].Repeatable
}

// ID implements dispatch.Calls.
func (m message) ID(part int) string { return RowID(m.tenant, m.source.AttemptID, part) }

// New implements dispatch.Calls.
func (m message) New() *Row {
	return &Row{AttemptID: m.source.AttemptID, MessageID: m.source.MessageID, ChannelID: m.source.ChannelID}
}

// Keep implements dispatch.Calls.
func (m message) Keep(r *Row) { r.Outbound = &m.source }

// Done implements dispatch.Calls.
func (m message) Done(r *Row, o dispatch.Outcome) {
	a := answer(o)
	r.Status, r.Refs, r.Outbound = status(o), a.Refs, nil
}

// Call implements dispatch.Calls.
func (m message) Call(ctx context.Context, part int) dispatch.Verdict {
	v := m.Sender.Send(ctx, m.ch, m.msg, m.parts[part], provider.About{
		Tenant: m.tenant, Message: m.msg.MessageID, Attempt: m.msg.AttemptID, Part: part,
	})
	return judged(v)
}

func judged(v provider.Verdict) dispatch.Verdict {
	return dispatch.Verdict{Finding: v.Finding, Err: v.Err, Answer: v}
}

// answer is what the provider said of a part that was sent; nothing of any other.
func answer(o dispatch.Outcome) provider.Verdict {
	v, _ := o.Answer.(provider.Verdict)
	return v
}

// status is an outcome as people see it.
func status(o dispatch.Outcome) event.DeliveryStatus {
	switch o.State {
	case dispatch.Sent:
		return answer(o).Status
	case dispatch.Unknown:
		return event.Unsure
	}
	return event.Failed
}
