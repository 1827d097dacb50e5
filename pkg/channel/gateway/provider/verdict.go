package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Verdict is what became of one part of a message.
type Verdict struct {
	Finding dispatch.Finding
	Status  event.DeliveryStatus // Taken: accepted or sent
	Refs    []string             // the provider's ids
	Peer    string               // the provider's canonical id of the recipient
	Aliases []string             // other ids of the recipient that the answers proved
	Err     *fault.Error         // all others: why
}

// About names what a call is for, in the call log.
type About struct {
	Tenant, Message, Attempt string
	Part                     int
}

// Send delivers one part: req and whatever the adapter wants to follow it (pieces of an upload, questions whether a file is ready, a push
// after a stale reply token), as many calls as there is time for. Everything it sends leaves before ctx ends.
func (c *Caller) Send(ctx context.Context, ch channel.Keyed, msg event.Outbound, req channel.Request, a About) Verdict {
	var v Verdict
	queue := []channel.Request{req}
	for len(queue) > 0 {
		if !wait(ctx, queue[0].After) {
			return v.after(Verdict{Finding: dispatch.Deferred, Err: fault.New(fault.Unavailable, "too_late", "the provider was not ready in time")})
		}
		out, step := c.step(ctx, ch, msg, queue[0], a)
		if step.Finding != dispatch.Taken {
			return v.after(step)
		}
		v.Finding = dispatch.Taken
		v.Refs = append(v.Refs, out.Refs...)
		if out.Peer != "" {
			v.Peer = out.Peer
		}
		v.Aliases = append(v.Aliases, out.Aliases...)
		if out.Status.Rank() > v.Status.Rank() {
			v.Status = out.Status
		}
		queue = append(append([]channel.Request{}, out.Next...), queue[1:]...)
	}
	if v.Status == "" {
		v.Status = event.Accepted
	}
	return v
}

// wait waits some time; false if ctx ends within it, which it does not wait for.
func wait(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); d > 0 && ok && time.Until(end) <= d {
		return false
	}
	return due.Sleep(ctx, d)
}

// after is the verdict of a chain whose last step went wrong: what the provider has already taken stays taken.
func (v Verdict) after(step Verdict) Verdict {
	if v.Status != "" {
		return v
	}
	return step
}

// step makes one call; once more with a new token if the provider denied the one we had.
func (c *Caller) step(ctx context.Context, ch channel.Keyed, msg event.Outbound, req channel.Request, a About) (out channel.Outcome, v Verdict) {
	err := c.withToken(ctx, ch, func(ch channel.Keyed) (denied bool) {
		out, v, denied = c.once(ctx, ch, msg, req, a)
		return denied
	})
	if err != nil {
		return channel.Outcome{}, beforeCall(err)
	}
	return out, v
}

// once makes one call and judges its answer. It reports whether the provider denied the channel's credentials.
func (c *Caller) once(ctx context.Context, ch channel.Keyed, msg event.Outbound, req channel.Request, a About) (channel.Outcome, Verdict, bool) {
	files, err := c.linksOf(ch, msg, req)
	if err != nil {
		return channel.Outcome{}, beforeCall(err), false
	}
	started := c.Now()
	resp, err := c.carry(ctx, ch, files.request(req), a)
	resp = files.answer(resp)
	hide := c.redactors.find(ch)
	c.Log.add(entry{ch: ch.ID, hide: hide, about: a, req: files.logged(req), resp: resp, err: err, at: started, took: c.Now().Sub(started)})
	if err != nil {
		return channel.Outcome{}, transportVerdict(req, err), false
	}
	out, err := c.Adapter.Settle(ch.Channel, msg, req, resp)
	if err = hide.fault(err); err != nil {
		return out, settleVerdict(req, err), fault.Is(err, fault.Denied)
	}
	return out, Verdict{Finding: dispatch.Taken}, false
}

// Ask makes a call that changes nothing at the provider and lets read judge the answer; once more with a new token if the provider
// denied the one we had. The answer, and the error, are without the channel's secrets.
func (c *Caller) Ask(ctx context.Context, ch channel.Keyed, req channel.Request, read func(channel.Response) error) error {
	var err error
	before := c.withToken(ctx, ch, func(ch channel.Keyed) (denied bool) {
		var resp channel.Response
		if resp, err = c.carry(ctx, ch, req, About{}); err != nil {
			return false
		}
		err = c.redactors.find(ch).fault(read(resp))
		return fault.Is(err, fault.Denied)
	})
	if before != nil {
		return before
	}
	return err
}

// withToken makes a call with the channel's token; once more with a new one, or with the channel's own credential, if it was denied. An error
// came before the call.
func (c *Caller) withToken(ctx context.Context, ch channel.Keyed, call func(channel.Keyed) (denied bool)) error {
	for try := 0; ; try++ {
		token, err := c.token(ctx, ch)
		if c.Tokens != nil {
			c.failing.note(ch.ID, renewal, err != nil || c.Tokens.ending(ch), c.Now())
		}
		if err != nil {
			return c.redactors.find(ch).fault(err)
		}
		ch.Token = token
		refused := call(ch)
		c.failing.note(ch.ID, denied, refused, c.Now())
		if !refused || token == "" || try > 0 {
			return nil
		}
		c.Tokens.Drop(ctx, ch, token)
		ch.Token = ""
	}
}

func (c *Caller) token(ctx context.Context, ch channel.Keyed) (string, error) {
	if c.Tokens == nil {
		return "", nil
	}
	return c.Tokens.Token(ctx, ch)
}

// beforeCall judges an error that came before anything of this request was sent.
func beforeCall(err error) Verdict {
	fe := *fault.Of(err)
	fe.Err = fmt.Errorf("before the call: %w", err)
	switch fe.Kind {
	case fault.Denied, fault.Invalid, fault.Gone:
		return Verdict{Finding: dispatch.Rejected, Err: &fe}
	}
	return Verdict{Finding: dispatch.Deferred, Err: &fe}
}

// transportVerdict judges a call without an answer. Only a transport that is sure that nothing left lets it be repeated, or a
// request that nobody sees.
func transportVerdict(req channel.Request, err error) Verdict {
	fe := fault.Of(err)
	switch {
	case fe.Kind == fault.Unavailable:
		return Verdict{Finding: dispatch.Deferred, Err: fe}
	case fe.Kind == fault.Invalid || fe.Kind == fault.Denied || fe.Kind == fault.Gone: // what our own guard refused: it never left
		return Verdict{Finding: dispatch.Rejected, Err: fe}
	case req.Safe:
		return Verdict{Finding: dispatch.Deferred, Err: &fault.Error{Kind: fault.Unavailable, Code: "no_answer", Detail: fe.Detail, Err: err}}
	}
	return Verdict{Finding: dispatch.Unsure, Err: &fault.Error{Kind: fault.Unknown, Code: "no_answer", Detail: fe.Detail, Err: err}}
}

// settleVerdict judges an answer by what the adapter read in it.
func settleVerdict(req channel.Request, err error) Verdict {
	fe := fault.Of(err)
	switch fe.Kind {
	case fault.Throttled, fault.Unavailable:
		return Verdict{Finding: dispatch.Deferred, Err: fe}
	case fault.Unknown, fault.Internal:
		if req.Safe {
			return Verdict{Finding: dispatch.Deferred, Err: &fault.Error{Kind: fault.Unavailable, Code: fe.Code, Provider: fe.Provider, Detail: fe.Detail, Err: fe.Err}}
		}
		return Verdict{Finding: dispatch.Unsure, Err: &fault.Error{Kind: fault.Unknown, Code: fe.Code, Provider: fe.Provider, Detail: fe.Detail, Err: fe.Err}}
	}
	return Verdict{Finding: dispatch.Rejected, Err: fe}
}
