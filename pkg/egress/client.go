// Package egress makes all outbound HTTP calls: to providers, to agent apps, for media.
//
// It does three things that http.Client does not. It connects to no address of the inside, whatever a name resolves to. It says with
// certainty whether a byte of a request may have left: an error of kind Unavailable or Denied means that none did, one of kind
// Unknown that some may have. And it keeps a dead account from costing anybody time.
package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// MaxBody is how much of an answer Do reads, in bytes.
const MaxBody = 1 << 20

const (
	dialTimeout  = 5 * time.Second
	tlsTimeout   = 5 * time.Second
	connsPerHost = 256              // as many as are kept idle: what a pool opens and cannot keep it dials again and again
	idleTimeout  = 20 * time.Second // below that of servers: a call on a connection that is being closed has an unknown outcome
	userAgent    = "Tributary/1"
)

// Config is how a process calls out; the zero value is for the public internet.
type Config struct {
	Allow []netip.Prefix // addresses that may be called although they are private, on any port and by plain http
	// AllowAddresses are single addresses that may be called although they are private, on that port alone and by plain http.
	AllowAddresses []netip.AddrPort
	Roots          *x509.CertPool   // nil means the system's
	Timeout        time.Duration    // of a call from its start to the end of its answer, if the call sets none; default 15 s
	Breaker        Breaker          // of every account
	Log            func(CallRecord) // called after every call, must be quick; may be nil
	// Wrap puts something around the transport, which it must use for every call as it is; nil leaves it bare.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client is safe for concurrent use. A process has one.
type Client struct {
	cfg       Config
	transport *http.Transport
	calls     http.RoundTripper // the transport, or what the configuration puts around it
	guard     guard
	breakers  *breakers
	meter     *meter
}

// New returns a client.
func New(cfg Config) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 15 * time.Second
	}
	c := &Client{cfg: cfg, guard: newGuard(cfg), breakers: newBreakers(cfg.Breaker), meter: newMeter()}
	c.transport = &http.Transport{
		DialContext: c.guard.dialPlain, DialTLSContext: c.guard.dialTLS, // HTTP/1.1 only: a connection carries one call at a time
		MaxIdleConnsPerHost: connsPerHost, MaxConnsPerHost: connsPerHost, IdleConnTimeout: idleTimeout,
		ExpectContinueTimeout: time.Second, MaxResponseHeaderBytes: 256 << 10,
	}
	c.calls = c.transport
	if cfg.Wrap != nil {
		c.calls = cfg.Wrap(c.transport)
	}
	return c
}

// Close closes idle connections.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

// Call is one call.
type Call struct {
	Account string // whose breaker it counts for, e.g. a channel; empty means none
	Label   string // for the call log: what it is, without credentials, e.g. the unsigned URL
	Request *http.Request
	Timeout time.Duration // zero means the client's
}

// Response is an answer, of whatever status: the caller knows what its provider means by it.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte // at most MaxBody
	Truncated bool   // there was more
}

// Do makes a call and reads its answer. It follows no redirect and repeats nothing that may have arrived. Errors are classified:
//
//	Unavailable  nothing was sent: the name, the connection, TLS, or the account's breaker is open
//	Denied       nothing was sent: the address may not be called
//	Invalid      nothing was sent: the request is none
//	Unknown      something was or may have been sent, and there is no answer
func (c *Client) Do(ctx context.Context, call Call) (*Response, error) {
	resp, err := c.send(ctx, call)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return nil, fault.Because(hide(err), fault.Unknown, "answer_cut_off", "the answer, of status %d, was cut off", resp.StatusCode)
	}
	cut := len(body) > MaxBody
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: body[:min(len(body), MaxBody)], Truncated: cut}, nil
}

// send makes a call up to the answer's header. The caller closes the body, which ends the call's time as well.
func (c *Client) send(ctx context.Context, call Call) (*http.Response, error) {
	done, err := c.admit(call)
	if err != nil {
		return nil, err
	}
	timeout := c.cfg.Timeout
	if call.Timeout > 0 {
		timeout = call.Timeout
	}
	tctx, cancel := context.WithTimeout(ctx, timeout)
	resp, err := c.roundTrip(tctx, call)
	done(ctx, status(resp), err)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &body{ReadCloser: resp.Body, cancel: cancel}
	return resp, nil
}

// roundTrip sends the request and finds out, if that fails, whether anything of it left.
func (c *Client) roundTrip(ctx context.Context, call Call) (*http.Response, error) {
	start := time.Now()
	ctx, span := c.meter.start(ctx, call)
	ctx, trail := follow(ctx)
	req := call.Request.Clone(ctx)
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", userAgent)
	}
	resp, err := c.calls.RoundTrip(req)
	sent := err == nil || trail.end()
	if err != nil {
		err = classify(ctx, err, sent)
	}
	record := CallRecord{
		Account: call.Account, Label: call.Label, Method: req.Method, Host: req.URL.Host, At: start, Took: time.Since(start),
		Status: status(resp), Sent: sent, Err: err,
	}
	c.meter.end(ctx, span, record)
	if c.cfg.Log != nil {
		c.cfg.Log(record)
	}
	return resp, err
}

// admit closes the body of a request that is not sent, as the transport does with all others.
func (c *Client) admit(call Call) (done func(context.Context, int, error), err error) {
	if err = check(call.Request); err == nil {
		done, err = c.breakers.enter(call.Account)
	}
	if err != nil && call.Request != nil && call.Request.Body != nil {
		_ = call.Request.Body.Close()
	}
	return done, err
}

func check(r *http.Request) error {
	switch {
	case r == nil || r.URL == nil:
		return fault.New(fault.Invalid, "request_missing", "egress: no request")
	case r.URL.Scheme != "https" && r.URL.Scheme != "http":
		return fault.At("/url", "url_invalid", "egress: scheme %q: want https", r.URL.Scheme)
	case r.URL.Host == "":
		return fault.At("/url", "url_invalid", "egress: the URL names no host")
	}
	return nil
}

func status(r *http.Response) int {
	if r == nil {
		return 0
	}
	return r.StatusCode
}

// outcome is what callers may read of a call that failed; addresses and the system's words are for the log.
var outcome = map[fault.Kind]string{
	fault.Unavailable: "nothing was sent: the address could not be reached",
	fault.Unknown:     "the call was sent, or a part of it, and no answer came",
}

// classify says what an error of the transport means. Errors of net/http and below name hosts, never paths or headers, where
// credentials are.
func classify(ctx context.Context, err error, sent bool) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && !sent {
		return f
	}
	kind, code := fault.Unavailable, "not_sent"
	if sent {
		kind, code = fault.Unknown, "no_answer"
	}
	if ctx.Err() != nil {
		err = ctx.Err() // the transport may have wrapped what it was doing then
	}
	return fault.Because(hide(err), kind, code, "egress: %s", outcome[kind])
}

// body ends the call's time when it is closed.
type body struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
