package egress

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/tributaryhq/tributary/pkg/fault"
)

const maxRedirects = 5

// Download is an answer whose body is still to be read; the caller closes it.
type Download struct {
	Status int
	Header http.Header
	Size   int64 // as announced; -1 if it was not
	Body   io.ReadCloser
}

// Fetch makes a call for media. Its body is streamed and ends with an error of kind Invalid, code too_large, after maxSize bytes. It
// follows redirects, each of them checked like the call itself; when one leads to another host, nothing of the request's headers goes
// there but what describes the wanted bytes.
func (c *Client) Fetch(ctx context.Context, call Call, maxSize int64) (*Download, error) {
	for range maxRedirects + 1 {
		resp, err := c.send(ctx, call)
		if err != nil {
			return nil, err
		}
		next, err := redirect(call.Request, resp)
		if err != nil {
			_ = resp.Body.Close()
			return nil, err
		}
		if next == nil {
			return download(resp, maxSize)
		}
		_ = resp.Body.Close()
		call.Request = next
	}
	return nil, fault.New(fault.Invalid, "too_many_redirects", "egress: more than %d redirects", maxRedirects)
}

func download(resp *http.Response, maxSize int64) (*Download, error) {
	if resp.ContentLength > maxSize {
		_ = resp.Body.Close()
		return nil, tooLarge(maxSize)
	}
	return &Download{Status: resp.StatusCode, Header: resp.Header, Size: resp.ContentLength, Body: &capped{ReadCloser: resp.Body, limit: maxSize, left: maxSize}}, nil
}

func tooLarge(maxSize int64) error {
	return fault.New(fault.Invalid, "too_large", "egress: more than %d bytes", maxSize)
}

// kept are the headers that go to another host as well.
var kept = []string{"Accept", "Accept-Language", "Range", "User-Agent"}

// redirect is the request that an answer leads to, or nil if it is no redirect.
func redirect(req *http.Request, resp *http.Response) (*http.Request, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to, err := resp.Location()
	if err != nil {
		return nil, fault.New(fault.Invalid, "redirect_invalid", "egress: status %d without a usable location", resp.StatusCode)
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return nil, fault.New(fault.Unknown, "redirect_refused", "egress: a redirect of a %s", req.Method)
	}
	if req.URL.Scheme == "https" && to.Scheme != "https" {
		return nil, fault.New(fault.Denied, "redirect_denied", "egress: a redirect away from https")
	}
	next := req.Clone(req.Context())
	next.URL, next.Host = to, ""
	if to.Host != req.URL.Host {
		next.Header = http.Header{}
		for _, k := range kept {
			if v := req.Header.Values(k); len(v) > 0 {
				next.Header[k] = v
			}
		}
	}
	return next, nil
}

// capped reads no more than its limit, and says so when there is more.
type capped struct {
	io.ReadCloser
	limit, left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.ReadCloser.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, tooLarge(c.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fault.Because(hide(err), fault.Unavailable, "answer_cut_off", "the answer was cut off")
	}
	return n, err
}
