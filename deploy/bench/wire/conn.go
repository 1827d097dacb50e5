// Package wire is an HTTP/1.1 client that costs as little as possible: a load generator shares the machine with what it measures,
// and net/http's client takes about as much processor time as a good server.
package wire

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"
)

// Conn is one connection that is kept alive, for one caller at a time. A broken one is dialled again by the next call.
type Conn struct {
	secure bool
	addr   string
	wait   time.Duration

	c    net.Conn
	r    *bufio.Reader
	body []byte
}

// New returns a connection to the host of a URL; it is dialled by the first call. wait bounds a call.
func New(to string, wait time.Duration) (*Conn, error) {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("url %q: want http://host:port/path", to)
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	return &Conn{secure: u.Scheme == "https", addr: addr, wait: wait}, nil
}

// Do writes a whole request and reads the answer. The body is valid until the next call.
func (c *Conn) Do(request []byte) (status int, body []byte, err error) {
	if c.c == nil {
		if err := c.dial(); err != nil {
			return 0, nil, err
		}
	}
	if err := c.c.SetDeadline(time.Now().Add(c.wait)); err != nil {
		return 0, nil, c.broken(err)
	}
	if _, err := c.c.Write(request); err != nil {
		return 0, nil, c.broken(err)
	}
	status, last, err := c.answer()
	if err != nil {
		return 0, nil, c.broken(err)
	}
	if last {
		_ = c.Close()
	}
	return status, c.body, nil
}

// Close closes the connection.
func (c *Conn) Close() error {
	if c.c == nil {
		return nil
	}
	err := c.c.Close()
	c.c = nil
	return err
}

func (c *Conn) broken(err error) error { return errors.Join(err, c.Close()) }

func (c *Conn) dial() (err error) {
	d := &net.Dialer{Timeout: c.wait}
	if c.secure {
		c.c, err = tls.DialWithDialer(d, "tcp", c.addr, nil)
	} else {
		c.c, err = d.Dial("tcp", c.addr)
	}
	if err != nil {
		c.c = nil
		return err
	}
	if c.r == nil {
		c.r = bufio.NewReaderSize(c.c, 8<<10)
	} else {
		c.r.Reset(c.c)
	}
	return nil
}

// answer reads one response into c.body. last: the server closes the connection behind it.
func (c *Conn) answer() (status int, last bool, err error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, false, err
	}
	if len(line) < 12 {
		return 0, false, fmt.Errorf("status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, false, fmt.Errorf("status line %q", line)
	}
	length, chunked, last, err := c.header()
	if err != nil {
		return 0, false, err
	}
	c.body = c.body[:0]
	switch {
	case status == 204 || status == 304: // have no body and need not say so
	case chunked:
		err = c.chunks()
	case length >= 0:
		err = c.read(length)
	default:
		last = true
		c.body, err = io.ReadAll(c.r)
	}
	return status, last, err
}

func (c *Conn) header() (length int, chunked, last bool, err error) {
	length = -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, false, false, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return length, chunked, last, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, false, fmt.Errorf("content-length %q", value)
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("connection")):
			last = bytes.EqualFold(value, []byte("close"))
		}
	}
}

func (c *Conn) read(n int) error {
	from := len(c.body)
	for cap(c.body) < from+n {
		c.body = append(c.body[:cap(c.body)], 0)
	}
	c.body = c.body[:from+n]
	_, err := io.ReadFull(c.r, c.body[from:])
	return err
}

func (c *Conn) chunks() error {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 32)
		if err != nil {
			return fmt.Errorf("chunk %q", line)
		}
		if err := c.read(int(n)); err != nil {
			return err
		}
		if _, err := c.r.Discard(2); err != nil || n == 0 {
			return err
		}
	}
}
