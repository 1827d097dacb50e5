package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/address"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/outgoing"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

type start struct {
	ChannelID string          `json:"channel_id"`
	ContactID string          `json:"contact_id"`
	Peer      string          `json:"peer"`
	Name      string          `json:"name"`
	Message   *outgoing.Draft `json:"message"`
}

// StartConversation implements api.ServerInterface.
func (s *Server) StartConversation(c *gin.Context, _ api.StartConversationParams) {
	do(c, http.StatusCreated, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if err := p.Require(auth.Send); err != nil {
			return nil, err
		}
		var in start
		if err := httpapi.Body(c, &in); err != nil {
			return nil, err
		}
		key, err := httpapi.IdempotencyKey(c, in.Message != nil)
		if err != nil {
			return nil, err
		}
		doc, err := s.started(c, p, key, in)
		if err != nil {
			return nil, err
		}
		out := object{}
		if in.Message != nil {
			m, err := s.send(c, p, doc, key, *in.Message)
			if err != nil {
				return nil, inMessage(err)
			}
			out["message"] = showMessage(m)
			if doc, err = s.Record.Conversations.Get(ctx, doc.ID); err != nil {
				return nil, err
			}
		}
		out["conversation"], err = s.answer(c, p, doc)
		return out, err
	})
}

// started returns the conversation that the call began before, or the thread's open one, or begins one.
func (s *Server) started(c *gin.Context, p *auth.Principal, key httpapi.Idempotency, in start) (*record.Conversation, error) {
	if doc, err := s.before(c, key, in); err != nil || doc != nil {
		return doc, err
	}
	t, rules, err := s.reach(c, p, in)
	if err != nil {
		return nil, err
	}
	ctx := c.Request.Context()
	doc, err := s.Record.Into(ctx, t, rules, p.Actor(), p.Actor().Kind, nil, s.at(), func(d *record.Conversation) error {
		if d.Status == record.Closed {
			return record.ErrNext
		}
		return store.Unchanged
	})
	if err != nil || key.Key == "" || in.Message != nil {
		return doc, err
	}
	o := &record.Opening{ConversationID: doc.ID, Digest: key.Digest}
	o.ID, o.Tenant, o.ExpiresAt = key.ID(c, "opn"), p.Tenant, s.at().Add(openingFor)
	if err := s.Record.Openings.Insert(ctx, o); err != nil && !errors.Is(err, store.ErrExists) {
		return nil, err
	}
	return doc, nil
}

// openingFor is how long a call without a message is remembered: longer than any client repeats one.
const openingFor = 7 * 24 * time.Hour

// before returns the conversation that the same call was answered with before; nil if it was not made before.
func (s *Server) before(c *gin.Context, key httpapi.Idempotency, in start) (*record.Conversation, error) {
	ctx, conversation := c.Request.Context(), ""
	switch {
	case in.Message != nil:
		m, err := s.Record.Messages.Get(ctx, key.ID(c, "msg"))
		if err != nil {
			return nil, unlessGone(err)
		}
		conversation = m.ConversationID
	case key.Key != "":
		o, err := s.Record.Openings.Get(ctx, key.ID(c, "opn"))
		if err != nil {
			return nil, unlessGone(err)
		}
		if err := key.Repeat(c, o.Digest); err != nil {
			return nil, err
		}
		conversation = o.ConversationID
	default:
		return nil, nil
	}
	return s.Record.Conversations.Get(ctx, conversation)
}

// reach finds the thread with whoever is named, and checks that the business may write first.
func (s *Server) reach(c *gin.Context, p *auth.Principal, in start) (*record.Thread, record.Rules, error) {
	ctx := c.Request.Context()
	none := record.Rules{}
	ch, err := s.Directory.Channel(ctx, in.ChannelID)
	inside := err == nil && ch.Tenant == p.Tenant
	if inside {
		inside, err = s.inUnit(ctx, p, ch.OUID)
	}
	if err != nil || !inside {
		return nil, none, httpapi.Named(errOr(err, gone("channel", in.ChannelID)), "/channel_id", "channel", in.ChannelID)
	}
	info, err := s.Directory.Type(ctx, ch.Type)
	if err != nil {
		return nil, none, err
	}
	rules := info.For(ch.Settings)
	t, who, err := s.named(c, p, ch, info, in)
	if err != nil {
		return nil, none, err
	}
	known := t != nil
	template := in.Message != nil && in.Message.Template != nil
	if !known && (!rules.Starts.May || (rules.Starts.With == "template" && !template)) {
		return nil, none, fault.New(fault.Invalid, "cannot_start", "on %s the business may not write first%s", rules.Title, with(rules.Starts.With))
	}
	if in.Message != nil {
		if err := s.sendable(ctx, p, ch, t, who.Peer, *in.Message); err != nil {
			return nil, none, err
		}
	}
	if known {
		return t, record.RulesOf(ch.Channel), nil
	}
	begun := person(p, ch, info, who)
	begun.ContactID = in.ContactID
	if in.Name != "" {
		begun.Observed = record.Observed{Profile: &event.Profile{Name: in.Name}, Source: record.FromPerson, At: s.at()}
	}
	t, err = s.Record.Thread(ctx, begun, s.at())
	return t, record.RulesOf(ch.Channel), err
}

func with(what string) string {
	if what == "" {
		return ""
	}
	return " unless with a " + what
}

// sendable refuses a first message that cannot succeed before anything is opened for it. t is nil if there is no thread with the peer yet.
func (s *Server) sendable(
	ctx context.Context, p *auth.Principal, ch channel.Keyed, t *record.Thread, peer string, in outgoing.Draft,
) error {
	doc := &record.Conversation{ChannelID: ch.ID, ChannelType: ch.Type, Peer: peer}
	if t != nil {
		tail, err := s.Record.Tail(ctx, t)
		if err != nil {
			return err
		}
		doc.Peer, doc.Window = t.Peer, t.Window()
		if tail != nil {
			doc = tail
		}
	}
	return inMessage(s.Outbox.Check(ctx, doc, author(p), in))
}

// inMessage gives a refusal of the first message the pointer of the field below message.
func inMessage(err error) error {
	fe, ok := errors.AsType[*fault.Error](err)
	if !ok || fe.Pointer == "" {
		return err
	}
	out := *fe
	out.Pointer = "/message" + fe.Pointer
	return &out
}

// unlessGone returns nil for a document that is not there.
func unlessGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// named finds the thread with the person whom the call names; without one it returns the person, as read by the channel's rules.
func (s *Server) named(
	c *gin.Context, p *auth.Principal, ch channel.Keyed, info channel.Info, in start,
) (*record.Thread, channel.Person, error) {
	ctx, nobody := c.Request.Context(), channel.Person{}
	if in.ContactID != "" {
		contact, err := s.contact(ctx, p, in.ContactID)
		if err != nil {
			return nil, nobody, httpapi.Named(err, "/contact_id", "contact", in.ContactID)
		}
		for _, i := range contact.Identities {
			if i.ChannelID == in.ChannelID {
				t, err := s.Record.Threads.Get(ctx, i.ThreadID)
				return t, nobody, err
			}
		}
		if in.Peer == "" {
			return nil, nobody, fault.At("/contact_id", "bad_value", "the contact has no identity on this channel; name the peer")
		}
	}
	if in.Peer == "" {
		return nil, nobody, fault.At("/peer", "required", "name a contact or a peer")
	}
	who, err := address.Read(info, ch.Settings, "/peer", in.Peer)
	if err != nil {
		return nil, nobody, err
	}
	var t *record.Thread
	if who.Username != "" {
		t, err = s.Record.FindUsername(ctx, p.Tenant, ch.ID, who.Username)
	} else {
		t, err = s.Record.Find(ctx, person(p, ch, info, who))
	}
	if err == nil && t == nil && who.Known && info.For(ch.Settings).Starts.May {
		err = address.Unseen(info, "/peer")
	}
	return t, who, err
}

func person(p *auth.Principal, ch channel.Keyed, info channel.Info, who channel.Person) record.Person {
	return record.Person{
		Tenant: p.Tenant, ChannelID: ch.ID, ChannelType: ch.Type, Peer: who.Peer, Aliases: who.Aliases, OUID: ch.OUID,
		Account: record.AccountOf(info, ch.Settings),
	}
}
