// Package outgoing puts messages of the business into conversations: it composes a message from what its author names, refuses what
// cannot succeed before anything is stored (P8), and queues the rest for the channel's service. It knows no HTTP: agents' calls,
// decisions of routing and automations use the same outbox.
package outgoing

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// sendWithin is how long a message may wait for its channel before it expires.
const sendWithin = 72 * time.Hour

// Outbox queues messages.
type Outbox struct {
	Record    *record.Store
	Directory *directory.Directory
	Blob      *blob.Store
	Files     *fileurl.URLs
	Now       func() time.Time
}

func (o *Outbox) at() event.Time { return event.At(o.Now()) }

// Author is the person, app or automation that a message is from.
type Author struct {
	Tenant string
	Actor  event.Actor // who acts; its files are those that Actor.ID has uploaded
	Via    record.Via
	Sender record.Sender // as the message shows it
	By     event.Actor   // as the message's first attempt names it
	// AgentID and Role are an agent's: where the tenant's settings name the role, the answer gives the agent a conversation that
	// nobody is assigned to.
	AgentID, Role string
}

// Key names one call: the id of the message that it makes, and the digest of what it asks for.
type Key struct{ ID, Digest string }

// Send queues a message, or adds a note. A call that is repeated finds its message, whatever has changed since: repeated is true, and
// m is nil. That is asked inside the Update, before the conversation's status.
func (o *Outbox) Send(ctx context.Context, doc *record.Conversation, by Author, key Key, in Draft) (m *record.Message, repeated bool, err error) {
	if there, err := o.Record.Exists(ctx, doc, key.ID); err != nil || there {
		return nil, there, err
	}
	if m, err = o.compose(ctx, doc, by, in); err != nil {
		return nil, false, err
	}
	m.ID, m.Digest = key.ID, key.Digest
	check, err := o.checker(ctx, doc, by, m)
	if err != nil {
		return nil, false, err
	}
	takes, err := o.takesOver(ctx, by)
	if err != nil {
		return nil, false, err
	}
	takenBy := func(d *record.Conversation) (record.Dispatch, error) {
		if d.Status == record.Closed {
			return record.Dispatch{}, o.Closed(ctx, d)
		}
		return check(d)
	}
	if m.Direction != record.Note { // asked before the files are shared: those of a refused message are deleted like any unused upload
		if _, err := takenBy(doc); err != nil {
			return nil, false, err
		}
	}
	if err := o.share(ctx, doc, m); err != nil {
		return nil, false, err
	}
	_, repeated, err = o.Record.Post(ctx, doc.ID, m, func(d *record.Conversation) error {
		if m.Direction == record.Note {
			d.Annotate(m, by.Actor)
			return nil
		}
		dispatch, err := takenBy(d)
		if err != nil {
			return err
		}
		if takes && d.AssigneeID == "" && m.Content.Type != event.ReactionType { // a reaction is no answer
			d.Assign(record.Target{AgentID: by.AgentID, AgentName: by.Sender.Name}, by.Actor, "", m.CreatedAt)
		}
		d.Send(m, dispatch)
		return nil
	})
	if err != nil || repeated {
		return nil, repeated, err
	}
	return m, false, nil
}

// Resend starts another attempt of a message that failed, or whose fate is unknown.
func (o *Outbox) Resend(ctx context.Context, doc *record.Conversation, by Author, m *record.Message) (*record.Message, error) {
	check, err := o.checker(ctx, doc, by, m)
	if err != nil {
		return nil, err
	}
	if check == nil {
		return nil, fault.New(fault.Invalid, "not_applicable", "a note is not sent")
	}
	if doc.Status == record.Closed {
		return nil, o.Closed(ctx, doc)
	}
	m.CreatedAt = o.at() // the new attempt's time, for the checks
	dispatch, err := check(doc)
	if err != nil {
		return nil, err
	}
	dispatch.By = by.Actor
	if dispatch.Needs > 0 {
		if err := o.usePlaces(ctx, doc.ID, m, check); err != nil {
			return nil, err
		}
	}
	return o.Record.Messages.Update(ctx, m.ID, func(m *record.Message) error { return m.Retry(dispatch, o.at()) })
}

// usePlaces takes the places of the window that the next attempt needs. The message is another document: where the attempt is not queued
// after that, they stay taken until something opens the window again, and nothing is sent beyond its limit.
func (o *Outbox) usePlaces(
	ctx context.Context, conversationID string, m *record.Message, check func(*record.Conversation) (record.Dispatch, error),
) error {
	attempt := record.AttemptID(m.Tenant, m.ID, len(m.Attempts)+1)
	_, err := o.Record.Conversations.Update(ctx, conversationID, func(c *record.Conversation) error {
		d, err := check(c)
		c.Use(d, attempt, o.at())
		return err
	})
	return err
}

// takesOver reports whether an unassigned conversation goes to the author with the answer.
func (o *Outbox) takesOver(ctx context.Context, by Author) (bool, error) {
	if by.AgentID == "" {
		return false, nil
	}
	t, err := o.Directory.Tenant(ctx, by.Tenant)
	if fault.Is(err, fault.Gone) {
		return true, nil
	}
	return slices.Contains(t.Settings.AnswerAssignsRoles, by.Role), err
}
