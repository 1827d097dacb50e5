package redo

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Listener returns inner with connections on which the answer to a produce request is sent after its records are on the disk. topic
// resolves the ids by which newer clients name topics.
func (l *Log) Listener(inner net.Listener, topic func(id [16]byte) string) net.Listener {
	return &listener{inner, l, topic}
}

type listener struct {
	net.Listener
	log   *Log
	topic func(id [16]byte) string
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, log: l.log, topic: l.topic}, nil
}

// conn watches one connection of a client. The broker answers its requests one after the other and writes each answer at once
// (kfake, clientConn).
type conn struct {
	net.Conn
	log   *Log
	topic func(id [16]byte) string

	head [12]byte // of the request that comes in: length, key, version, correlation id
	have int      // bytes of head
	rest int      // bytes of the request that are still to come

	mu       sync.Mutex
	produces []produced // requests without an answer
}

// produced names a produce request.
type produced struct {
	correlation int32
	version     int16
}

// unanswered bounds how many requests are remembered: those that want no answer get none.
const unanswered = 16

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.observe(b[:n])
	return n, err
}

// observe reads the heads of requests.
func (c *conn) observe(b []byte) {
	for len(b) > 0 {
		if c.rest > 0 {
			n := min(c.rest, len(b))
			c.rest, b = c.rest-n, b[n:]
			continue
		}
		n := copy(c.head[c.have:], b)
		c.have, b = c.have+n, b[n:]
		if c.have < len(c.head) {
			return
		}
		c.have = 0
		c.rest = max(int(int32(binary.BigEndian.Uint32(c.head[:])))-(len(c.head)-4), 0)
		if int16(binary.BigEndian.Uint16(c.head[4:])) == kmsg.Produce.Int16() {
			c.note(produced{int32(binary.BigEndian.Uint32(c.head[8:])), int16(binary.BigEndian.Uint16(c.head[6:]))})
		}
	}
}

func (c *conn) note(p produced) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.produces) == unanswered {
		c.produces = c.produces[1:]
	}
	c.produces = append(c.produces, p)
}

// answered takes a produce request out of those without an answer, with all before it.
func (c *conn) answered(correlation int32) (produced, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, p := range c.produces {
		if p.correlation == correlation {
			c.produces = c.produces[i+1:]
			return p, true
		}
	}
	return produced{}, false
}

var errAnswer = errors.New("redo log: the broker's answer to a produce request cannot be read")

// Write sends one answer. If the records cannot be made safe, the error has the broker close the connection, and the client does not
// know what became of them.
func (c *conn) Write(b []byte) (int, error) {
	if len(b) >= 8 {
		if p, ok := c.answered(int32(binary.BigEndian.Uint32(b[4:]))); ok {
			acks, err := c.acks(b[8:], p.version)
			if err != nil {
				return 0, err
			}
			if err := c.log.Wait(acks); err != nil {
				return 0, err
			}
		}
	}
	return c.Conn.Write(b)
}

// acks lists what an answer acknowledges.
func (c *conn) acks(body []byte, version int16) (map[Partition]int64, error) {
	var res kmsg.ProduceResponse
	if res.SetVersion(version); res.IsFlexible() {
		if len(body) == 0 || body[0] != 0 {
			return nil, errAnswer
		}
		body = body[1:] // the head's tags, of which there are none
	}
	if err := res.ReadFrom(body); err != nil {
		return nil, errors.Join(errAnswer, err)
	}
	acks := map[Partition]int64{}
	for _, t := range res.Topics {
		name := t.Topic
		if name == "" {
			name = c.topic(t.TopicID)
		}
		for _, p := range t.Partitions {
			if p.ErrorCode == 0 && p.BaseOffset >= 0 {
				at := Partition{name, p.Partition}
				acks[at] = max(acks[at], p.BaseOffset)
			}
		}
	}
	return acks, nil
}
