package namespace

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	maxFrame  = 100 << 20 // socket.request.max.bytes of a broker
	pipelined = 256       // requests of one connection that wait for their answers
)

// talk is one connection of a client and the one to its broker.
type talk struct {
	*Namespace
	client, broker net.Conn
	asked          chan kmsg.Request // in the order of the answers to come
}

// serve passes messages on until either side ends.
func (n *Namespace) serve(client net.Conn, target string) {
	defer func() { _ = client.Close() }()
	broker, err := (&net.Dialer{}).DialContext(n.life, "tcp", target)
	if err != nil {
		return // the client sees its connection end, as it would without us
	}
	t := &talk{Namespace: n, client: client, broker: broker, asked: make(chan kmsg.Request, pipelined)}
	both := func() { _, _ = client.Close(), broker.Close() }
	stop := context.AfterFunc(n.life, both)
	defer stop()
	n.tasks.Go(func() {
		defer both()
		defer close(t.asked)
		t.note(t.requests())
	})
	defer both()
	t.note(t.responses())
}

// note tells of what is wrong with a message; that connections end is daily life.
func (t *talk) note(err error) {
	var broken net.Error
	if err != nil && t.life.Err() == nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.As(err, &broken) {
		slog.Debug("namespace: a connection ends", "error", err)
	}
}

func (t *talk) requests() error {
	for {
		frame, err := read(t.client)
		if err != nil {
			return err
		}
		req, correlation, client, err := parse(frame)
		if err != nil {
			return err
		}
		t.ask(req)
		select {
		case t.asked <- req:
		case <-t.life.Done():
			return nil
		}
		out := kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, req, correlation)
		if _, err := t.broker.Write(out); err != nil {
			return err
		}
	}
}

func (t *talk) responses() error {
	for {
		frame, err := read(t.broker)
		if err != nil {
			return err
		}
		req, ok := <-t.asked
		if !ok {
			return nil
		}
		out, err := t.respond(req, frame)
		if err != nil {
			return fmt.Errorf("answer to %T: %w", req, err)
		}
		if _, err := t.client.Write(out); err != nil {
			return err
		}
	}
}

// parse takes a request apart: header version 1, or 2 with tags.
func parse(b []byte) (req kmsg.Request, correlation int32, client string, err error) {
	if len(b) < 10 {
		return nil, 0, "", io.ErrUnexpectedEOF
	}
	key, version := int16(binary.BigEndian.Uint16(b)), int16(binary.BigEndian.Uint16(b[2:]))
	correlation = int32(binary.BigEndian.Uint32(b[4:]))
	n := max(int(int16(binary.BigEndian.Uint16(b[8:]))), 0)
	if b = b[10:]; len(b) < n {
		return nil, 0, "", io.ErrUnexpectedEOF
	}
	client, b = string(b[:n]), b[n:]
	if req = kmsg.RequestForKey(key); req == nil || version > req.MaxVersion() {
		return nil, 0, "", fmt.Errorf("request %d of version %d is not known", key, version)
	}
	req.SetVersion(version)
	if req.IsFlexible() {
		if b, err = skipTags(b); err != nil {
			return nil, 0, "", err
		}
	}
	if err := req.ReadFrom(b); err != nil {
		return nil, 0, "", fmt.Errorf("%T of version %d: %w", req, version, err)
	}
	return req, correlation, client, nil
}

// respond puts an answer together again: header version 0, or 1 with tags. That to ApiVersions may come in another version than was
// asked for, and has no names in it.
func (t *talk) respond(req kmsg.Request, b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, io.ErrUnexpectedEOF
	}
	if req.Key() == int16(kmsg.ApiVersions) {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...), nil
	}
	out := append(make([]byte, 4, len(b)+4), b[:4]...)
	body := b[4:]
	if req.IsFlexible() {
		var err error
		if body, err = skipTags(body); err != nil {
			return nil, err
		}
		out = append(out, 0)
	}
	res := req.ResponseKind()
	if err := res.ReadFrom(body); err != nil {
		return nil, err
	}
	t.answer(res)
	out = res.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out, nil
}

func skipTags(b []byte) ([]byte, error) {
	count, n := binary.Uvarint(b)
	for ; n > 0; count-- {
		b = b[n:]
		if count == 0 {
			return b, nil
		}
		_, tag := binary.Uvarint(b)
		if tag <= 0 {
			break
		}
		size, m := binary.Uvarint(b[tag:])
		n = tag + m + int(size)
		if m <= 0 || n > len(b) {
			break
		}
	}
	return nil, io.ErrUnexpectedEOF
}

func read(c net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	return b, err
}
