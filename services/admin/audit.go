package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/admin/api"

	"github.com/tributaryhq/tributary/pkg/auth"
)

var (
	auditSpec = store.Spec{Name: "audit_log", Indexes: []store.Index{{Name: "by_tenant", Fields: []string{"tenant", "n"}}}}
	headSpec  = store.Spec{Name: "audit_heads"}
)

// Entry is a line of the audit log. Lines of a tenant are numbered and chained: Hash covers the line and the hash before it.
type Entry struct {
	store.Meta
	N         int64       `json:"n"`
	At        event.Time  `json:"at"`
	Actor     event.Actor `json:"actor"`
	Action    string      `json:"action"`
	Target    string      `json:"target"`
	Before    string      `json:"before,omitempty"`
	After     string      `json:"after,omitempty"`
	IP        string      `json:"ip,omitempty"`
	RequestID string      `json:"request_id,omitempty"`
	Previous  string      `json:"previous"`
	Hash      string      `json:"hash"`
}

// head is the end of a tenant's chain: one document orders all lines.
type head struct {
	store.Meta
	Last Entry `json:"last"`
}

// record writes a line after a change was made. A change whose line cannot be written is reported as failed, so that it is
// repeated; changes are idempotent.
func (s *server) record(c *gin.Context, action, target string, before, after any) error {
	p := httpapi.Caller(c)
	e := Entry{
		At: s.at(), Actor: p.Actor(), Action: action, Target: target, Before: digest(before), After: digest(after),
		IP: httpapi.Client(c).String(), RequestID: httpapi.RequestID(c),
	}
	return s.append(c.Request.Context(), p.Tenant, e)
}

func (s *server) append(ctx context.Context, tenant string, e Entry) error {
	fresh := func() *head { h := &head{}; h.Tenant = tenant; return h }
	h, err := s.heads.Upsert(ctx, event.DeriveID("aud", tenant), fresh, func(h *head) error {
		// The line before is written first, so that the chain has no hole when whoever wrote it died.
		if err := s.keep(ctx, h.Last); err != nil {
			return err
		}
		next := e
		next.N, next.Previous = h.Last.N+1, h.Last.Hash
		next.Tenant, next.ID = tenant, event.DeriveID("aud", tenant, fmt.Sprint(next.N))
		next.Hash = next.chain()
		h.Last = next
		return nil
	})
	if err != nil {
		return err
	}
	return s.keep(ctx, h.Last)
}

func (s *server) keep(ctx context.Context, e Entry) error {
	if e.N == 0 {
		return nil
	}
	if err := s.audit.Insert(ctx, &e); err != nil && !isExists(err) {
		return err
	}
	return nil
}

func (e Entry) chain() string {
	e.Hash, e.Meta = "", store.Meta{Tenant: e.Tenant}
	b, err := json.Marshal(&e)
	if err != nil {
		panic(err) // our own struct always marshals
	}
	return event.Hash(e.Previous, string(b))
}

// digest stands for a state: secrets are sealed in it already, and even so only a hash is kept.
func digest(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own documents always marshal
	}
	return event.Hash(string(b))
}

// ListAudit implements api.ServerInterface.
func (s *server) ListAudit(c *gin.Context, params api.ListAuditParams) {
	p := httpapi.Caller(c)
	if err := p.Require(auth.AuditRead); err != nil {
		httpapi.Fail(c, err)
		return
	}
	q := store.Query{Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "n", Desc: true}
	list(c, s.audit, q, func(e *Entry) api.AuditEntry {
		return api.AuditEntry{
			Id: e.ID, At: e.At.Time, Actor: map[string]any{"kind": e.Actor.Kind, "id": e.Actor.ID, "name": e.Actor.Name}, Action: e.Action,
			Target: e.Target, Before: &e.Before, After: &e.After, Ip: &e.IP, RequestId: &e.RequestID, Hash: e.Hash,
		}
	})
}

// VerifyAudit implements api.ServerInterface.
func (s *server) VerifyAudit(c *gin.Context, params api.VerifyAuditParams) {
	p := httpapi.Caller(c)
	if err := p.Require(auth.AuditRead); err != nil {
		httpapi.Fail(c, err)
		return
	}
	var after int64
	if params.After != nil {
		after = *params.After
	}
	v, err := s.verify(c.Request.Context(), p.Tenant, after)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(200, v)
}

// verified is what is known of a chain.
type verified struct {
	Intact   bool   `json:"intact"`
	To       int64  `json:"verified_to"`
	Last     int64  `json:"last"`
	BrokenAt *int64 `json:"broken_at"`
}

// verifyMost is how many lines are verified at once.
const verifyMost = 5000

// verify recomputes the chain behind line after. The head is read first: what it names must be there, so that lines cut off at
// the end are noticed too.
func (s *server) verify(ctx context.Context, tenant string, after int64) (verified, error) {
	v := verified{Intact: true, To: after}
	h, err := s.heads.Get(ctx, event.DeriveID("aud", tenant))
	if errors.Is(err, store.ErrNotFound) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	if v.Last = h.Last.N; h.Last.Hash != h.Last.chain() {
		v.breaks(h.Last.N)
		return v, nil
	}
	if err := s.keep(ctx, h.Last); err != nil { // whoever wrote the head may have died before the line
		return v, err
	}
	previous := ""
	for from := max(after, 1); from <= v.Last && from <= after+verifyMost; from += store.MaxLimit {
		ids := make([]string, 0, store.MaxLimit)
		for n := from; n < from+store.MaxLimit && n <= v.Last; n++ {
			ids = append(ids, event.DeriveID("aud", tenant, fmt.Sprint(n)))
		}
		lines, err := s.audit.GetMany(ctx, ids)
		if err != nil {
			return v, err
		}
		for i, e := range lines {
			n := from + int64(i)
			if e == nil || e.N != n || e.Hash != e.chain() || (n > max(after, 1) && e.Previous != previous) || (n == 1 && e.Previous != "") ||
				(n == v.Last && e.Hash != h.Last.Hash) {
				v.breaks(n)
				return v, nil
			}
			v.To, previous = n, e.Hash
		}
	}
	return v, nil
}

func (v *verified) breaks(n int64) { v.Intact, v.BrokenAt = false, &n }

// list answers with a page of a collection.
func list[T, V any](c *gin.Context, from *store.Collection[T], q store.Query, show func(*T) V) {
	listThose(c, from, q, func(*T) bool { return true }, show)
}

// listThose lists what is there of a page: what is not, it lacks.
func listThose[T, V any](c *gin.Context, from *store.Collection[T], q store.Query, there func(*T) bool, show func(*T) V) {
	limit, err := httpapi.Limit(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	q.Limit, q.Cursor = limit, c.Query("cursor")
	docs, next, prev, err := from.Query(c.Request.Context(), q)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	out := make([]V, 0, len(docs))
	for _, d := range docs {
		if there(d) {
			out = append(out, show(d))
		}
	}
	c.JSON(200, httpapi.NewList(out, next, prev))
}

// gone is the answer for what is not there, and for what is another tenant's.
func gone(what, id string) error {
	return fault.New(fault.Gone, "not_found", "there is no %s %s", what, id)
}
