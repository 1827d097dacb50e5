package ingress

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// Operation is something an operator does with a channel: POST /webhooks/{type}/{channel}/~{name}, with the permission
// channels.write. No provider's suffix begins with a tilde. Service admin redirects here, because only a channel's own service has
// its adapter.
type Operation func(ctx context.Context, ch channel.Keyed, body []byte) (answer any, err error)

const operationBody = 1 << 20

// operation finds the operation that a call names.
func (g *Ingress) operation(r *http.Request, id, suffix string) Operation {
	name, ok := strings.CutPrefix(suffix, "/~")
	if !ok || id == "" || r.Method != http.MethodPost || !g.operatesOn(r.Host) {
		return nil
	}
	switch name {
	case "replay":
		return g.replay
	case "simulate":
		return g.simulate
	}
	return g.Operations[name]
}

// operatesOn reports whether operations are served on a host. On another one a call is what it is to a provider's host: a webhook.
func (g *Ingress) operatesOn(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return len(g.OperationsHosts) == 0 || slices.ContainsFunc(g.OperationsHosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// operate lets only permitted callers of the channel's own tenant pass.
func (g *Ingress) operate(c *gin.Context, id string, do Operation) {
	if g.Authenticate != nil {
		g.Authenticate(c)
	}
	if c.IsAborted() {
		return
	}
	ctx := c.Request.Context()
	ch, err := g.owned(ctx, auth.From(ctx), id)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, operationBody))
	if err != nil {
		httpapi.Fail(c, httpapi.Unread(err))
		return
	}
	answer, err := do(ctx, ch, body)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.JSON(http.StatusOK, answer)
}

func (g *Ingress) owned(ctx context.Context, p *auth.Principal, id string) (channel.Keyed, error) {
	if p == nil {
		return channel.Keyed{}, auth.ErrUnauthenticated
	}
	if err := p.Require(auth.ChannelsWrite); err != nil {
		return channel.Keyed{}, err
	}
	ch, err := g.channel(ctx, id)
	if err == errUnknown || err == nil && ch.Tenant != p.Tenant { //nolint:errorlint // the very value
		err = fault.New(fault.Gone, "not_found", "there is no such channel")
	}
	return ch, err
}

// simulate is the operation ~simulate {method, path, query, header, body, encoding}: a recorded payload is taken as if the provider had
// sent it. body is the payload itself, as JSON; as a text for what is no JSON; or, if encoding says base64, as a text of its bytes.
func (g *Ingress) simulate(ctx context.Context, ch channel.Keyed, raw []byte) (any, error) {
	var call struct {
		Method string              `json:"method"`
		Path   string              `json:"path"`
		Query  map[string][]string `json:"query"`
		Header map[string][]string `json:"header"`
		Body   json.RawMessage     `json:"body"`
		Coding string              `json:"encoding"`
	}
	if err := json.Unmarshal(raw, &call); err != nil || len(call.Body) == 0 {
		return nil, fault.At("/body", "bad_json", "want {\"body\": the recorded payload}, and method, path, query and header where they matter")
	}
	body, err := payload(call.Body, call.Coding)
	if err != nil {
		return nil, err
	}
	if call.Method == "" {
		call.Method = http.MethodPost
	}
	in := channel.Inbound{Method: call.Method, Path: call.Path, Query: call.Query, Header: canonicalAll(call.Header), Body: body, At: g.Now(), Pulled: true}
	parsed, err := g.Adapter.Parse(ch, in)
	if err != nil {
		return nil, fault.New(fault.Invalid, "unparsable", "the payload cannot be understood: %v", err)
	}
	for _, e := range parsed.Events {
		if e.Content != nil && slices.ContainsFunc(e.Content.Attachments, func(a event.Attachment) bool { return a.Blob != "" }) {
			return nil, fault.At("/body", "not_applicable", "the payload names a file of the store; a simulated call can only name files of the provider")
		}
	}
	var b batch
	if err := g.translate(ctx, &b, ch, in, parsed, nil, callNotes{reason: "simulated"}); err != nil {
		return nil, err
	}
	if err := g.commit(ctx, &b); err != nil {
		return nil, err
	}
	return gin.H{"events": b.events(), "ignored": parsed.Ignored}, nil
}

// payload is what a simulated call carries.
func payload(body json.RawMessage, encoding string) ([]byte, error) {
	var text string
	isText := json.Unmarshal(body, &text) == nil
	switch {
	case encoding == "base64" && isText:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fault.At("/body", "bad_format", "the body is not base64")
		}
		return b, nil
	case encoding != "":
		return nil, fault.At("/encoding", "bad_value", "want base64, with a text as the body, or nothing")
	case isText:
		return []byte(text), nil
	}
	return body, nil
}

func canonicalAll(m map[string][]string) channel.Header {
	h := channel.Header{}
	for k, vs := range m {
		h[canonical(k)] = vs
	}
	return h
}
