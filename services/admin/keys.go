package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/admin/api"
)

// ListAPIKeys implements api.ServerInterface.
func (s *server) ListAPIKeys(c *gin.Context, _ api.ListAPIKeysParams) {
	p := httpapi.Caller(c)
	if err := p.Require(auth.APIKeysWrite); err != nil {
		httpapi.Fail(c, err)
		return
	}
	q := store.Query{Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "created_at"}
	list(c, s.keys, q, func(k *directory.APIKey) map[string]any { return showKey(k, "") })
}

// CreateAPIKey implements api.ServerInterface. Whoever creates a key can give it no permission it lacks itself.
func (s *server) CreateAPIKey(c *gin.Context, _ api.CreateAPIKeyParams) {
	p := httpapi.Caller(c)
	var in struct {
		Name      string     `json:"name"`
		Scopes    []string   `json:"scopes"`
		OUID      string     `json:"ou_id"`
		ExpiresAt event.Time `json:"expires_at"`
	}
	err := errors.Join(p.Require(auth.APIKeysWrite), httpapi.Body(c, &in))
	var scopes []auth.Permission
	if err == nil {
		scopes, err = permissions(in.Scopes)
	}
	if err == nil {
		err = s.unitExists(c.Request.Context(), p.Tenant, in.OUID)
	}
	if err == nil {
		err = s.mayGive(c.Request.Context(), p, authority{scopes, in.OUID})
	}
	if err == nil && !in.ExpiresAt.IsZero() && !s.now().Before(in.ExpiresAt.Time) {
		err = fault.At("/expires_at", "out_of_range", "the key would have ended already")
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	doc := &directory.APIKey{Name: in.Name, Scopes: scopes, OUID: in.OUID, KeyEnds: in.ExpiresAt, Version: 1, CreatedAt: s.at(), CreatedBy: p.ID}
	doc.Tenant = p.Tenant
	doc, text, err := s.makeKey(c, doc)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusCreated, showKey(doc, text))
}

// makeKey stores a key and returns it with its text. With an Idempotency-Key id and text are derived, the text under a key of
// ours, so that a repeat returns the same text although only its hash is kept.
func (s *server) makeKey(c *gin.Context, doc *directory.APIKey) (made *directory.APIKey, text string, err error) {
	again, err := s.idempotency(c)
	if err != nil {
		return nil, "", err
	}
	id, text, hash := auth.NewAPIKey()
	if again.Key != "" {
		id = strings.TrimPrefix(again.ID(c, "key"), "key_")
		text = auth.APIKeyText(id, s.mac("api key "+id))
		hash, doc.Digest = auth.HashAPIKey(text), again.Digest
	}
	doc.ID, doc.Hash = "key_"+id, hash
	directory.Tell(&doc.Meta, "admin", directory.EntityAPIKey, 1, false, doc.CreatedAt)
	err = s.keys.Insert(c.Request.Context(), doc)
	if errors.Is(err, store.ErrExists) {
		doc, err = s.repeatedKey(c, doc.ID, again, hash)
		return doc, text, err
	}
	if err != nil {
		return nil, "", err
	}
	return doc, text, s.record(c, "api_key.created", doc.ID, nil, doc)
}

// repeatedKey returns the key that the same call has made before.
func (s *server) repeatedKey(c *gin.Context, id string, again httpapi.Idempotency, hash string) (*directory.APIKey, error) {
	have, err := s.keys.Get(c.Request.Context(), id)
	switch {
	case err != nil:
		return nil, err
	case have.Revoked:
		return nil, fault.New(fault.Conflict, "conflict", "the key that was made with this Idempotency-Key has been revoked; send another Idempotency-Key")
	case have.Hash != hash:
		return nil, fault.New(fault.Conflict, "conflict",
			"the key was made before an encryption key was lost, so its text cannot be shown again; revoke it, and send another Idempotency-Key")
	}
	return have, again.Repeat(c, have.Digest)
}

// RevokeAPIKey implements api.ServerInterface. Whoever revokes a key has at least its permissions.
func (s *server) RevokeAPIKey(c *gin.Context, id api.ID) {
	p, ctx := httpapi.Caller(c), c.Request.Context()
	if err := p.Require(auth.APIKeysWrite); err != nil {
		httpapi.Fail(c, err)
		return
	}
	before, err := s.keys.Get(ctx, id)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	doc, err := s.endKey(ctx, id, func(k *directory.APIKey) error {
		if k.Tenant != p.Tenant {
			return gone("API key", id)
		}
		return s.mayGive(ctx, p, authority{k.Scopes, k.OUID})
	})
	if err == nil {
		err = s.record(c, "api_key.revoked", id, before, doc)
	}
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.Status(http.StatusNoContent)
}

// endKey revokes a key, if may lets it.
func (s *server) endKey(ctx context.Context, id string, may func(*directory.APIKey) error) (*directory.APIKey, error) {
	k, err := s.keys.Update(ctx, id, func(k *directory.APIKey) error {
		if err := may(k); err != nil {
			return err
		}
		if k.Revoked {
			return store.Unchanged
		}
		k.Revoked = true
		k.Version++
		directory.Tell(&k.Meta, "admin", directory.EntityAPIKey, k.Version, true, s.at())
		return nil
	})
	if err == nil {
		s.directory.Changed(event.Config{Entity: directory.EntityAPIKey, ID: id, Version: k.Version, Deleted: true})
	}
	return k, err
}

func showKey(k *directory.APIKey, text string) map[string]any {
	out := map[string]any{"id": k.ID, "name": k.Name, "scopes": slices.Clone(k.Scopes), "created_at": k.CreatedAt, "revoked": k.Revoked, "expires_at": nil}
	if !k.KeyEnds.IsZero() {
		out["expires_at"] = k.KeyEnds
	}
	if k.OUID != "" {
		out["ou_id"] = k.OUID
	}
	if text != "" {
		out["key"] = text
	}
	return out
}
