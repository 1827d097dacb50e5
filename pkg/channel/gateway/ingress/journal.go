package ingress

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const (
	maxInline  = 256 << 10 // bytes of a body inside its journal record; more goes to the blob store first
	maxHeader  = 1 << 10   // bytes of one header or query value that the journal keeps
	maxHeaders = 48        // of each
	redacted   = "[redacted]"
)

// callNotes is what the journal says of a call besides the call itself.
type callNotes struct {
	verdict, reason string
	events          []string
	dropped         map[string]int
	body            string // where the body is, if it is not in the record
	as              string // the verdict, if it does not follow from what was understood
}

// journal is the record of one call for one channel: enough to read it again after a fix, without any secret.
func (g *Ingress) journal(ctx context.Context, ch channel.Keyed, in channel.Inbound, p channel.Parsed, n callNotes) (event.Record, error) {
	id := event.DeriveID("evt", ch.Tenant, ch.ID, string(event.WebhookReceived), random())
	w := event.Webhook{
		ChannelID: ch.ID, Type: ch.Type, Method: in.Method, Path: in.Path, Verdict: n.verdict, Reason: clip(n.reason, maxHeader),
		Events: n.events, Dropped: merge(n.dropped, p.Ignored), At: event.At(in.At), BodyBlob: n.body,
		Header: g.keepHeader(in.Header), Query: keepQuery(in.Query),
	}
	switch {
	case n.verdict == handshake:
		w.Query, w.BodyBlob = nil, "" // a handshake may carry the very token that proves us (Google RBM, Meta); and nothing else
	case w.BodyBlob != "":
	case len(in.Body) <= maxInline:
		w.Body = in.Body
	default:
		var err error
		if w.BodyBlob, err = g.put(ctx, ch.Tenant, in.Body); err != nil {
			return event.Record{}, fmt.Errorf("journal body: %w", err)
		}
	}
	return event.Record{Topic: event.TopicWebhooks, Key: ch.ID, Event: event.New(id, event.WebhookReceived, g.Source, ch.Tenant, ch.ID, w.At, w)}, nil
}

// sharedBody puts the body of a call for several channels into the blob store, once. Journals of several tenants must not
// each hold what was written to the others.
func (g *Ingress) sharedBody(ctx context.Context, in channel.Inbound, chs []channel.Keyed) (string, error) {
	tenants := map[string]bool{}
	for _, ch := range chs {
		tenants[ch.Tenant] = true
	}
	if len(tenants) < 2 && len(chs)*len(in.Body) <= maxInline || len(chs) < 2 {
		return "", nil
	}
	key, err := g.put(ctx, sharedBodies, in.Body)
	if err != nil {
		return "", fmt.Errorf("journal body: %w", err)
	}
	return key, nil
}

// sharedBodies owns the bodies that several channels share. Nobody reads them but the adapter, which takes of one what is for its
// channel.
const sharedBodies = "shared"

// ownerOf is who owns the body of a journal record of the tenant.
func ownerOf(tenant, key string) string {
	if strings.HasPrefix(key, sharedBodies+"/") {
		return sharedBodies
	}
	return tenant
}

// put keeps bytes in the blob store. Nothing was acknowledged yet, so whoever fails here may be told to come again.
func (g *Ingress) put(ctx context.Context, tenant string, b []byte) (string, error) {
	key, _, _, _, err := g.Blobs.Put(ctx, tenant, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", away(err)
	}
	return key, nil
}

// secretHeaders are the headers that prove a caller; the adapter knows what else its provider puts there.
func secretHeaders(more []string) map[string]bool {
	out := map[string]bool{"Authorization": true, "Proxy-Authorization": true, "Cookie": true}
	for _, h := range more {
		out[canonical(h)] = true
	}
	return out
}

func (g *Ingress) keepHeader(h channel.Header) map[string][]string {
	return keep(h, func(k string) bool { return g.secret[canonical(k)] })
}

func keepQuery(q map[string][]string) map[string][]string {
	return keep(q, func(k string) bool {
		k = strings.ToLower(k)
		for _, word := range []string{"token", "secret", "password", "passwd", "key", "auth"} {
			if strings.Contains(k, word) {
				return true
			}
		}
		return false
	})
}

func keep(m map[string][]string, secret func(string) bool) map[string][]string {
	out := make(map[string][]string, min(len(m), maxHeaders))
	for k, vs := range m {
		if len(out) == maxHeaders {
			break
		}
		if secret(k) {
			out[k] = []string{redacted}
			continue
		}
		kept := vs
		for i, v := range vs {
			if len(v) > maxHeader || i == maxHeaders {
				kept = []string{clip(strings.Join(vs, ","), maxHeader)}
				break
			}
		}
		out[clip(k, 256)] = kept
	}
	return out
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

func merge(a, b map[string]int) map[string]int {
	if len(a) == 0 {
		return b
	}
	for k, n := range b {
		a[k] += n
	}
	return a
}

// random is 26 characters that nobody can guess.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return event.Hash(string(b[:]))
}
