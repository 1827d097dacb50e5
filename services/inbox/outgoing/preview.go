package outgoing

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Preview is what sending a draft would do.
type Preview struct {
	Type         event.MessageType
	Parts        int               // messages at the provider; 0 for a note, and where there are problems
	Length       *channel.Measured // of the text; nil where the channel has no limit
	Problems     []*fault.Error    // everything for which the draft would be refused
	Alternatives []string          // what can be sent instead while the window is closed
}

// Preview checks a draft as [Outbox.Send] does, without effect. The error is trouble of our own.
func (o *Outbox) Preview(ctx context.Context, doc *record.Conversation, by Author, in Draft) (Preview, error) {
	p := Preview{Type: in.Type}
	m, err := o.compose(ctx, doc, by, in)
	if err != nil {
		return p.refused(err)
	}
	p.Type = m.Content.Type
	if m.Direction == record.Note {
		return p, nil
	}
	if doc.Status == record.Closed {
		if p, err = p.refused(o.Closed(ctx, doc)); err != nil {
			return p, err
		}
	}
	rules, err := o.rules(ctx, doc)
	if err != nil {
		return p.refused(err)
	}
	rules = rules.Under(doc.Post)
	content := o.sent(doc, rules, m.Content)
	p.Type = content.Type
	d, w := o.dispatch(doc, rules, by, m, content)
	for _, problem := range rules.Problems(event.Outbound{Peer: d.Peer, Content: content}, w) {
		if problem.Kind == fault.Window {
			p.Alternatives = rules.Window.Outside
		}
		p.Problems = append(p.Problems, fault.Of(named(problem)))
	}
	p.Length = rules.Measure(content)
	if len(p.Problems) == 0 {
		p.Parts = rules.Parts(content)
	}
	return p, nil
}

// refused notes a refusal that is final. Any other error is returned.
func (p Preview) refused(err error) (Preview, error) {
	if unlessRefused(err) != nil {
		return p, err
	}
	p.Problems = append(p.Problems, fault.Of(err))
	return p, nil
}
