// Package provider plays the send APIs of WhatsApp and Telegram, and below /facebook, /instagram, /wechat and /x those of Facebook, Instagram, WeChat and X, as
// cheaply as it can: it reads a call, waits as long as it is told to, and says that the message was taken. Of people it tells nothing.
package provider

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Provider is a running one.
type Provider struct {
	URL   string // without a slash at the end
	delay atomic.Int64
	calls atomic.Int64

	l     net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
	done  sync.WaitGroup
}

// Start listens on a free port of the loopback interface.
func Start() (*Provider, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Provider{URL: "http://" + l.Addr().String(), l: l, conns: map[net.Conn]bool{}}
	p.done.Go(p.accept)
	return p, nil
}

// Delay makes the provider take so long for every call from now on.
func (p *Provider) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Calls is how many messages it has taken.
func (p *Provider) Calls() int64 { return p.calls.Load() }

// Close ends it.
func (p *Provider) Close() error {
	err := p.l.Close()
	p.mu.Lock()
	for c := range p.conns {
		err = errors.Join(err, c.Close())
	}
	p.mu.Unlock()
	p.done.Wait()
	return err
}

func (p *Provider) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return // closed
		}
		p.mu.Lock()
		p.conns[c] = true
		p.mu.Unlock()
		p.done.Go(func() {
			p.serve(c)
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
			_ = c.Close() // it is over
		})
	}
}

func (p *Provider) serve(c net.Conn) {
	r := bufio.NewReaderSize(c, 4<<10)
	var out, body []byte
	for {
		kind, length, err := request(r)
		if err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, r, int64(length)); err != nil {
			return
		}
		time.Sleep(time.Duration(p.delay.Load()))
		body = p.answer(body[:0], kind)
		out = fmt.Appendf(out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// kind is what a call is.
type kind int

const (
	whatsapp kind = iota
	telegram
	facebook
	wechat
	x
	token // WeChat's
	who   // a question, for who somebody is
)

// kinds are what the request lines of calls have; the first that fits counts.
var kinds = []struct {
	has string
	is  kind
}{{"GET ", who}, {"/cgi-bin/stable_token", token}, {" /wechat/", wechat}, {" /facebook/", facebook}, {" /instagram/", facebook}, {" /x/", x}, {" /bot", telegram}, {"", whatsapp}}

// answer says that a message was taken, and counts it.
func (p *Provider) answer(b []byte, k kind) []byte {
	switch k {
	case who:
		return append(b, `{}`...)
	case token:
		return append(b, `{"access_token":"token-of-the-bench","expires_in":7200}`...)
	}
	n := p.calls.Add(1)
	switch k {
	case telegram:
		return fmt.Appendf(b, `{"ok":true,"result":{"message_id":%d,"date":1781524800,"chat":{"id":1,"type":"private"}}}`, n)
	case facebook:
		return fmt.Appendf(b, `{"recipient_id":"1","message_id":"m_taken.%s.%d"}`, p.l.Addr(), n)
	case wechat:
		return append(b, `{"errcode":0,"errmsg":"ok"}`...)
	case x:
		return fmt.Appendf(b, `{"data":{"dm_conversation_id":"1-2","dm_event_id":"%d"}}`, n)
	}
	return fmt.Appendf(b, `{"messaging_product":"whatsapp","messages":[{"id":"wamid.taken.%s.%d"}]}`, p.l.Addr(), n)
}

// request reads the head of a call.
func request(r *bufio.Reader) (is kind, length int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	for _, k := range kinds {
		if bytes.Contains(line, []byte(k.has)) {
			is = k.is
			break
		}
	}
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			return is, length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, 0, err
			}
		}
	}
}
