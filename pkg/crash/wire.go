package crash

import (
	"bytes"
	"net"
	"net/http"
)

type watchedCalls struct {
	http.RoundTripper
	fuse *Fuse
}

// Transport watches the calls to providers. It is nil for a nil Fuse.
func (f *Fuse) Transport() func(http.RoundTripper) http.RoundTripper {
	if f == nil {
		return nil
	}
	return func(t http.RoundTripper) http.RoundTripper { return &watchedCalls{t, f} }
}

// RoundTrip implements http.RoundTripper.
func (c *watchedCalls) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	c.fuse.around(c.fuse.about(Call, "provider"), func() bool {
		resp, err = c.RoundTripper.RoundTrip(r) //nolint:bodyclose // the caller's, as of every RoundTripper
		return err == nil
	})
	return resp, err
}

type watchedListener struct {
	net.Listener
	fuse *Fuse
}

// Listener watches the answers that are given on connections of the public listener.
func (f *Fuse) Listener(l net.Listener) net.Listener {
	if f == nil {
		return l
	}
	return &watchedListener{l, f}
}

// Accept implements net.Listener.
func (l *watchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{c, l.fuse}, nil
}

type watchedConn struct {
	net.Conn
	fuse *Fuse
}

// Write implements net.Conn. The server writes the beginning of an answer, and mostly all of it, with one call.
func (c *watchedConn) Write(b []byte) (n int, err error) {
	c.fuse.around(c.fuse.about(Answer, "public") && bytes.HasPrefix(b, []byte("HTTP/1.1 2")), func() bool {
		n, err = c.Conn.Write(b)
		return err == nil
	})
	return n, err
}
