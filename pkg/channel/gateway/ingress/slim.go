package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
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

func isData(u string) bool { return strings.HasPrefix(u, "data:") }

// unpack stores a file that came inside the call itself: the adapter hands it over as a data: URL (RFC 2397).
func (g *Ingress) unpack(ctx context.Context, ch channel.Keyed, a *event.Attachment) error {
	head, data, ok := strings.Cut(strings.TrimPrefix(a.URL, "data:"), ",")
	kind, based := strings.CutSuffix(head, ";base64")
	a.URL = ""
	var body []byte
	var err error
	switch {
	case !ok:
		err = fmt.Errorf("no comma")
	case based:
		body, err = base64.StdEncoding.DecodeString(data)
	default:
		var text string
		text, err = url.PathUnescape(data)
		body = []byte(text)
	}
	if limit := g.info.Inbound.MaxMedia; err == nil && limit > 0 && int64(len(body)) > limit {
		a.State, a.Error = event.Lost, &event.Error{Kind: "invalid", Code: "media_too_large", Title: fmt.Sprintf("The file has more than %d bytes", limit)}
		return nil
	}
	if err != nil {
		a.State, a.Error = event.Lost, &event.Error{Kind: "invalid", Code: "bad_media", Title: "The file inside the message could not be read"}
		return nil //nolint:nilerr // told in the attachment
	}
	if a.MIME == "" {
		a.MIME = kind
	}
	if t, _, err := mime.ParseMediaType(a.MIME); err != nil || t == "" {
		a.MIME = http.DetectContentType(body)
	}
	return g.store(ctx, ch, a, body)
}

// store keeps a file as the media consumer would have done.
func (g *Ingress) store(ctx context.Context, ch channel.Keyed, a *event.Attachment, body []byte) (err error) {
	if a.Blob, err = g.put(ctx, ch.Tenant, body); err != nil {
		return fmt.Errorf("attachment: %w", err)
	}
	sum := sha256.Sum256(body)
	a.SHA256, a.Size, a.State = hex.EncodeToString(sum[:]), int64(len(body)), event.Ready
	return nil
}

// away says that something we depend on is not there; nothing was acknowledged yet, so the provider may call again.
func away(err error) error {
	return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
}

func canonical(h string) string { return http.CanonicalHeaderKey(h) }
