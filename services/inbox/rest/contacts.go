package rest

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// ListContacts implements api.ServerInterface.
func (s *Server) ListContacts(c *gin.Context, params api.ListContactsParams) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		limit, err := httpapi.Limit(c)
		if err == nil {
			err = reads(p)
		}
		if err != nil {
			return nil, err
		}
		q := store.Query{Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "created_at", Desc: true, Limit: limit, Cursor: c.Query("cursor")}
		switch {
		case params.Email != nil:
			q.Where = append(q.Where, store.Eq{Field: "email", Value: *params.Email})
		case params.Phone != nil:
			q.Where = append(q.Where, store.Eq{Field: "phone", Value: *params.Phone})
		}
		docs, next, prev, err := s.Record.Contacts.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		out := []object{}
		for _, d := range docs {
			inside, err := s.inUnit(ctx, p, d.OUID)
			if err != nil {
				return nil, err
			}
			if inside && d.MergedInto == "" && (params.Phone == nil || d.Phone == *params.Phone) {
				shown, err := s.showContact(ctx, d)
				if err != nil {
					return nil, err
				}
				out = append(out, shown)
			}
		}
		return httpapi.NewList(out, next, prev), nil
	})
}

// GetContact implements api.ServerInterface.
func (s *Server) GetContact(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func() (any, error) {
		doc, err := s.contact(c.Request.Context(), httpapi.Caller(c), id)
		if err != nil {
			return nil, err
		}
		return s.showContact(c.Request.Context(), doc)
	})
}

// contactInput is what people may change of a contact.
type contactInput struct {
	Name      string         `json:"name"`
	Email     string         `json:"email"`
	Phone     string         `json:"phone"`
	AvatarURL string         `json:"avatar_url"`
	Custom    map[string]any `json:"custom_fields"`
	Tags      []string       `json:"tags"`
	Blocked   bool           `json:"blocked"`
}

// edited lists the fields that a person has changed and that a provider fills otherwise.
func (in contactInput) edited(was contactInput) (fields []string) {
	for field, changed := range map[string]bool{
		record.FieldName: in.Name != was.Name, record.FieldPhone: in.Phone != was.Phone, record.FieldEmail: in.Email != was.Email,
		record.FieldAvatar: in.AvatarURL != was.AvatarURL,
	} {
		if changed {
			fields = append(fields, field)
		}
	}
	return fields
}

// PatchContact implements api.ServerInterface.
func (s *Server) PatchContact(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if err := p.Require(auth.ContactsWrite); err != nil {
			return nil, err
		}
		raw, err := httpapi.Raw(c)
		if err != nil {
			return nil, err
		}
		if _, err := s.contact(ctx, p, id); err != nil {
			return nil, err
		}
		blocked := false
		doc, err := s.Record.Edit(ctx, id, func(d *record.Contact) ([]string, error) {
			was := contactInput{d.Name, d.Email, d.Phone, d.AvatarURL, d.Custom, d.Tags, d.Blocked}
			in := was
			if err := httpapi.MergePatch(&in, raw); err != nil {
				return nil, err
			}
			if len([]rune(in.Name)) > 256 {
				return nil, fault.At("/name", "too_long", "a name has at most 256 characters")
			}
			d.Name, d.Email, d.Phone, d.AvatarURL, d.Custom, d.Tags = in.Name, in.Email, in.Phone, in.AvatarURL, in.Custom, in.Tags
			blocked = in.Blocked
			d.UpdatedAt = s.at()
			return in.edited(was), nil
		})
		if err == nil && doc.Blocked != blocked {
			if err = s.Record.Block(ctx, doc, blocked, p.Actor(), s.at()); err == nil {
				doc.Blocked = blocked
			}
		}
		if err != nil {
			return nil, err
		}
		return s.showContact(ctx, doc)
	})
}

func (s *Server) showContact(ctx context.Context, d *record.Contact) (object, error) {
	identities := []object{}
	open := []string{}
	for _, i := range d.Identities {
		identities = append(identities, object{
			"channel": object{"id": i.ChannelID, "type": i.ChannelType, "name": s.channelName(ctx, i.ChannelID)}, "peer": i.Peer, "display": i.Display,
			"username": orNull(i.Username), "phone": orNull(i.Phone), "group": i.Group, "unreachable": orNull(i.Unreachable),
		})
		t, err := s.Record.Threads.Get(ctx, i.ThreadID)
		if err != nil {
			continue // just being made: it has no open conversation yet
		}
		tail, err := s.Record.Tail(ctx, t)
		if err != nil {
			return nil, err
		}
		if tail != nil && tail.Status != record.Closed {
			open = append(open, tail.ID)
		}
	}
	custom := d.Custom
	if custom == nil {
		custom = object{}
	}
	return object{
		"id": d.ID, "name": d.Display(), "email": d.Email, "phone": d.Phone, "avatar_url": d.AvatarURL, "identities": identities,
		"custom_fields": custom, "origin_channel": object{"id": d.OriginID, "name": s.channelName(ctx, d.OriginID)}, "ou": unit(d.OUID),
		"open_conversation_ids": open, "blocked": d.Blocked, "tags": append([]string{}, d.Tags...), "created_at": d.CreatedAt,
	}, nil
}

// channelName is for show: a channel that cannot be read now has none.
func (s *Server) channelName(ctx context.Context, id string) string {
	ch, err := s.Directory.Channel(ctx, id)
	if err != nil {
		return ""
	}
	return ch.Name
}

// ListContactEvents implements api.ServerInterface.
func (s *Server) ListContactEvents(c *gin.Context, id api.ID, _ api.ListContactEventsParams) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		limit, err := httpapi.Limit(c)
		if err != nil {
			return nil, err
		}
		if _, err := s.contact(ctx, p, id); err != nil {
			return nil, err
		}
		rows, next, prev, err := s.Record.Rows.Query(ctx, store.Query{
			Where: []store.Eq{{Field: "contact_id", Value: id}}, Order: "at", Desc: true, Limit: limit, Cursor: c.Query("cursor"),
		})
		if err != nil {
			return nil, err
		}
		out, sees := []object{}, s.seer(ctx, p)
		for _, r := range rows {
			ok, err := sees(r.ConversationID)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, showRow(r))
			}
		}
		return httpapi.NewList(out, next, prev), nil
	})
}

// ListContactConversations implements api.ServerInterface.
func (s *Server) ListContactConversations(c *gin.Context, id api.ID, _ api.ListContactConversationsParams) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		limit, err := httpapi.Limit(c)
		if err != nil {
			return nil, err
		}
		if _, err := s.contact(ctx, p, id); err != nil {
			return nil, err
		}
		l := &listing{
			tenant: p.Tenant, groups: [][]string{{record.ContactList(record.Messages, id), record.ContactList(record.Comments, id)}},
			keep: []func(*record.Conversation) (bool, error){func(d *record.Conversation) (bool, error) { return s.visible(ctx, p, d) }},
		}
		page, err := l.page(ctx, s.Record.Conversations, c.Query("cursor"), limit)
		if err != nil {
			return nil, err
		}
		out, err := s.conversations(ctx, p, page.Docs)
		return partialList{httpapi.NewList(out, page.Next, page.Prev), page.Partial}, err
	})
}
