package ingress

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/mediainfo"
)

// What one event may hold, so that its record stays under 512 KB. What is longer goes to the blob store: a text becomes an
// attachment and its beginning stays; the provider's object is replaced by where it is.
const (
	maxText = 64 << 10  // bytes of text, and of HTML
	maxRaw  = 64 << 10  // bytes of the provider's object
	maxData = 448 << 10 // bytes of the whole, whatever made it so long: then all of it goes to the blob store
)

// slim moves what is too long for a record to the blob store.
func (g *Ingress) slim(ctx context.Context, ch channel.Keyed, e *event.Inbound) error {
	if c := e.Content; c != nil {
		var err error
		if c.Text, err = g.long(ctx, ch, e, c.Text, "message.txt", "text/plain; charset=utf-8"); err != nil {
			return err
		}
		if c.HTML, err = g.long(ctx, ch, e, c.HTML, "message.html", "text/html; charset=utf-8"); err != nil {
			return err
		}
		if c.Raw, err = g.object(ctx, ch, c.Raw); err != nil {
			return err
		}
	}
	var err error
	e.Raw, err = g.object(ctx, ch, e.Raw)
	return err
}

// fold replaces an event that is still too long by a placeholder that says where the whole of it is (promise P2).
func (g *Ingress) fold(ctx context.Context, ch channel.Keyed, e *event.Inbound, data json.RawMessage) (*event.Inbound, error) {
	raw, err := g.object(ctx, ch, data)
	if err != nil {
		return nil, err
	}
	short := &event.Inbound{
		Type: e.Type, ChannelID: e.ChannelID, ChannelType: e.ChannelType, Ref: e.Ref, Peer: e.Peer, ExternalID: clip(e.ExternalID, maxHeader), ProviderAt: e.ProviderAt,
		ReceivedAt: e.ReceivedAt, Target: clip(e.Target, maxHeader), Receipt: e.Receipt, Raw: raw,
	}
	if e.Content != nil {
		short.Content = &event.Content{Type: event.Unsupported, Raw: raw}
	}
	return short, nil
}

func (g *Ingress) long(ctx context.Context, ch channel.Keyed, e *event.Inbound, text, name, kind string) (string, error) {
	if len(text) <= maxText {
		return text, nil
	}
	a := event.Attachment{
		ID:   event.DeriveID("att", ch.Tenant, ch.ID, string(e.Type), e.Ref, name),
		Type: event.Document, MIME: kind, Name: name,
	}
	if err := g.store(ctx, ch, &a, []byte(text)); err != nil {
		return "", err
	}
	e.Content.Attachments = append(e.Content.Attachments, a)
	return clip(text, maxText), nil
}

func (g *Ingress) object(ctx context.Context, ch channel.Keyed, raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) <= maxRaw {
		return raw, nil
	}
	key, err := g.put(ctx, ch.Tenant, raw)
	if err != nil {
		return nil, fmt.Errorf("provider's object: %w", err)
	}
	return json.RawMessage(`{"blob":` + strconv.Quote(key) + `}`), nil
}

// unpack stores a file that came inside the call itself.
func (g *Ingress) unpack(ctx context.Context, ch channel.Keyed, a *event.Attachment) error {
	body := a.Bytes
	a.Bytes, a.URL = nil, ""
	if limit := g.info.For(ch.Settings).MaxMedia; limit > 0 && int64(len(body)) > limit {
		a.State, a.Error = event.Lost, &event.Error{Kind: "invalid", Code: "media_too_large", Title: fmt.Sprintf("The file has more than %d bytes", limit)}
		return nil
	}
	return g.store(ctx, ch, a, body)
}

// store keeps a file as the media worker does.
func (g *Ingress) store(ctx context.Context, ch channel.Keyed, a *event.Attachment, body []byte) error {
	if err := mediainfo.Store(ctx, g.Blobs, ch.Tenant, a, bytes.NewReader(body), int64(len(body))); err != nil {
		return away(fmt.Errorf("attachment: %w", err))
	}
	return nil
}

// away says that something we depend on is not there; nothing was acknowledged yet, so the provider may call again.
func away(err error) error {
	return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
}

func canonical(h string) string { return http.CanonicalHeaderKey(h) }
