package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/admin/api"
)

func isExists(err error) bool { return errors.Is(err, store.ErrExists) }

// ListChannelTypes implements api.ServerInterface.
func (s *server) ListChannelTypes(c *gin.Context) {
	types, err := s.directory.AllTypes(c.Request.Context())
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"data": types})
}

// ListChannels implements api.ServerInterface.
func (s *server) ListChannels(c *gin.Context, params api.ListChannelsParams) {
	p := httpapi.Caller(c)
	show, err := shownTo(p, auth.ChannelsRead, s.show, nameChannel)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	q := store.Query{Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "created_at", Desc: true}
	if params.Type != nil {
		q.Where = append(q.Where, store.Eq{Field: "type", Value: *params.Type})
	}
	listThose(c, s.channels, q, func(d *directory.Channel) bool { return !d.Deleted }, show)
}

// CreateChannel implements api.ServerInterface.
func (s *server) CreateChannel(c *gin.Context, _ api.CreateChannelParams) {
	if err := s.create(c); err != nil {
		httpapi.Fail(c, err)
	}
}

func (s *server) create(c *gin.Context) error {
	p := httpapi.Caller(c)
	if err := p.Require(auth.ChannelsWrite); err != nil {
		return err
	}
	key, err := s.idempotency(c)
	if err != nil {
		return err
	}
	var in input
	if err := httpapi.Body(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	info, err := s.typeOf(ctx, in.Type)
	if err != nil {
		return err
	}
	id, have, err := s.earlier(ctx, key.ID(c, "ch"))
	if err != nil {
		return err
	}
	if have != nil {
		return s.again(c, key, have, info)
	}
	doc := &directory.Channel{Type: in.Type, Enabled: true, Sealed: map[string][]string{}, Digest: key.Digest, Version: 1}
	doc.ID, doc.Tenant, doc.CreatedAt = id, p.Tenant, s.at()
	if err := s.fill(ctx, doc, in, info); err != nil {
		return err
	}
	if err := s.claim(ctx, doc, info); err != nil {
		s.release(ctx, doc.Claims, id)
		return err
	}
	directory.Tell(&doc.Meta, "admin", directory.EntityChannel, doc.Version, false, doc.CreatedAt)
	if err := s.channels.Insert(ctx, doc); isExists(err) { // the same call, at the same time
		if have, err = s.channels.Get(ctx, id); err != nil {
			return httpapi.StoreError(err)
		}
		return s.again(c, key, have, info)
	} else if err != nil {
		return httpapi.StoreError(err)
	}
	s.directory.Changed(event.Config{Entity: directory.EntityChannel, ID: doc.ID, Version: doc.Version})
	if err := s.record(c, "channel.created", doc.ID, nil, doc); err != nil {
		return httpapi.StoreError(err)
	}
	s.answer(c, http.StatusCreated, doc, info)
	return nil
}

// earlier returns what an earlier call with the same key made, nil if nothing, and the id to be used: a key lives as long as
// what it created, so a deleted channel leaves it free.
func (s *server) earlier(ctx context.Context, id string) (string, *directory.Channel, error) {
	for {
		have, err := s.channels.Get(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return id, nil, nil
		case err != nil:
			return "", nil, httpapi.StoreError(err)
		case !have.Deleted:
			return id, have, nil
		}
		id = event.DeriveID("ch", "after", id)
	}
}

func (s *server) again(c *gin.Context, key httpapi.Idempotency, have *directory.Channel, info channel.Info) error {
	if err := key.Repeat(c, have.Digest); err != nil {
		return err
	}
	s.answer(c, http.StatusCreated, have, info)
	return nil
}

func (s *server) typeOf(ctx context.Context, t event.ChannelType) (channel.Info, error) {
	info, err := s.directory.Type(ctx, t)
	if fault.Is(err, fault.Gone) {
		return info, fault.At("/type", "bad_value", "no service of channel type %q runs here", t)
	}
	return info, err
}

// GetChannel implements api.ServerInterface.
func (s *server) GetChannel(c *gin.Context, id api.ID) {
	doc, shown, err := s.shown(c.Request.Context(), httpapi.Caller(c), id)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.Header("ETag", httpapi.ETag(doc.Version))
	c.JSON(http.StatusOK, shown)
}

func (s *server) channel(ctx context.Context, tenant, id string) (*directory.Channel, error) {
	doc, err := s.channels.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && (doc.Tenant != tenant || doc.Deleted)) {
		return nil, gone("channel", id)
	}
	return doc, httpapi.StoreError(err)
}

// PatchChannel implements api.ServerInterface.
func (s *server) PatchChannel(c *gin.Context, id api.ID, _ api.PatchChannelParams) {
	doc, info, err := s.patch(c, id)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.answer(c, http.StatusOK, doc, info)
}

func (s *server) patch(c *gin.Context, id string) (*directory.Channel, channel.Info, error) {
	p, none := httpapi.Caller(c), channel.Info{}
	if err := p.Require(auth.ChannelsWrite); err != nil {
		return nil, none, err
	}
	raw, err := httpapi.Raw(c)
	if err != nil {
		return nil, none, err
	}
	ctx := c.Request.Context()
	before, err := s.channel(ctx, p.Tenant, id)
	if err != nil {
		return nil, none, err
	}
	info, err := s.typeOf(ctx, before.Type)
	if err != nil {
		return nil, none, err
	}
	var dropped, wanted []string
	doc, err := s.channels.Update(ctx, id, func(d *directory.Channel) error {
		if err := httpapi.IfMatch(c, d.Version); err != nil {
			return err
		}
		in := inputOf(d)
		if err := in.patch(raw, d.Sealed); err != nil {
			return err
		}
		if in.Type != d.Type {
			return fault.At("/type", "not_applicable", "a channel keeps its type")
		}
		old := d.Claims
		if err := s.fill(ctx, d, in, info); err != nil {
			return err
		}
		err := s.claim(ctx, d, info)
		dropped, wanted = minus(old, d.Claims), minus(d.Claims, old)
		if err != nil {
			return err
		}
		d.Version++
		directory.Tell(&d.Meta, "admin", directory.EntityChannel, d.Version, false, s.at())
		return nil
	})
	if err != nil {
		if fault.KindOf(err) != fault.Unavailable { // if the store is away it may have been written
			s.release(ctx, wanted, id)
		}
		return nil, none, httpapi.StoreError(err)
	}
	s.release(ctx, dropped, id)
	s.directory.Changed(event.Config{Entity: directory.EntityChannel, ID: id, Version: doc.Version})
	return doc, info, httpapi.StoreError(s.record(c, "channel.changed", id, before, doc))
}

// DeleteChannel implements api.ServerInterface.
func (s *server) DeleteChannel(c *gin.Context, id api.ID) {
	p := httpapi.Caller(c)
	if err := p.Require(auth.ChannelsWrite); err != nil {
		httpapi.Fail(c, err)
		return
	}
	ctx := c.Request.Context()
	before, err := s.channel(ctx, p.Tenant, id)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	doc, err := s.channels.Update(ctx, id, func(d *directory.Channel) error {
		d.Deleted, d.Enabled, d.Sealed, d.Previous, d.Claims, d.Verify = true, false, nil, nil, nil, ""
		d.Version++
		d.UpdatedAt = s.at()
		directory.Tell(&d.Meta, "admin", directory.EntityChannel, d.Version, true, d.UpdatedAt)
		return nil
	})
	if err == nil {
		s.release(ctx, before.Claims, id)
		s.directory.Changed(event.Config{Entity: directory.EntityChannel, ID: id, Version: doc.Version, Deleted: true})
		err = s.record(c, "channel.deleted", id, before, nil)
	}
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.Status(http.StatusNoContent)
}
