// Package mongofake is a server that speaks MongoDB's protocol and answers what a test writes down: what a deployment says in an
// election, under a revoked role or with a member too few can be had without one.
package mongofake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/wiremessage"
)

// Command is what a client asks for.
type Command struct {
	Name      string
	Body      bson.Raw
	Documents []bson.Raw // of an insert, update or delete
}

// Text returns a text of the command's body.
func (c Command) Text(path ...string) string {
	s, _ := c.Body.Lookup(path...).StringValueOK()
	return s
}

// Number returns a number of the command's body, -1 if there is none.
func (c Command) Number(path ...string) int64 {
	n, ok := c.Body.Lookup(path...).AsInt64OK()
	if !ok {
		return -1
	}
	return n
}

// Server listens on a port of this machine until the test ends.
type Server struct {
	listener net.Listener
	work     sync.WaitGroup

	mu     sync.Mutex
	answer func(Command) bson.D
	seen   []Command
	conns  []net.Conn
	held   map[string]<-chan struct{}
	skew   time.Duration
	apps   []string // names that clients gave when they connected
}

// New starts a server that says yes to everything.
func New(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{listener: l}
	s.work.Go(s.accept)
	t.Cleanup(s.stop)
	return s
}

func (s *Server) stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
}

// URI names the server and a database.
func (s *Server) URI() string {
	return "mongodb://" + s.listener.Addr().String() + "/fake?retryReads=false"
}

// Answer sets what is answered from now on, and forgets what was seen. A nil answer is a plain yes. f runs under a lock.
func (s *Server) Answer(f func(Command) bson.D) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.seen = f, nil
}

// Hold keeps commands of that name waiting until the channel is closed.
func (s *Server) Hold(name string, until <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = map[string]<-chan struct{}{name: until}
}

// SetSkew sets by how much the server's clock is ahead of ours.
func (s *Server) SetSkew(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = by
}

// AppNames are the names under which clients have connected, one for each connection.
func (s *Server) AppNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.apps)
}

// Seen returns the commands of that name since Answer was called.
func (s *Server) Seen(name string) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.seen), func(c Command) bool { return c.Name != name })
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.work.Go(func() {
			for s.serve(c) == nil {
				continue
			}
			_ = c.Close()
		})
	}
}

// serve answers one message.
func (s *Server) serve(c net.Conn) error {
	var head [16]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	size, id, op := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[12:])
	body := make([]byte, size-16)
	if _, err := io.ReadFull(c, body); err != nil {
		return err
	}
	if wiremessage.OpCode(op) != wiremessage.OpMsg { // OP_QUERY, in which drivers say hello
		said, ok := parseQuery(body)
		if !ok {
			return errors.New("not a query")
		}
		return reply(c, int32(id), false, s.greet(said)) //nolint:gosec // an id is any 32 bits
	}
	cmd, ok := parse(body)
	if !ok {
		return errors.New("not a message")
	}
	return reply(c, int32(id), true, s.answerTo(cmd)) //nolint:gosec // an id is any 32 bits
}

// parseQuery reads OP_QUERY: flags, the collection's name, two numbers and the query.
func parseQuery(b []byte) (bson.Raw, bool) {
	end := bytes.IndexByte(b[4:], 0)
	if end < 0 || len(b) < 4+end+1+8 {
		return nil, false
	}
	query, _, ok := bsoncore.ReadDocument(b[4+end+1+8:])
	return bson.Raw(query), ok
}

// parse reads OP_MSG: flags, one body and sequences of documents.
func parse(b []byte) (cmd Command, ok bool) {
	for b = b[4:]; len(b) > 0; {
		kind, rest, ok := wiremessage.ReadMsgSectionType(b)
		if !ok {
			return cmd, false
		}
		switch kind {
		case wiremessage.SingleDocument:
			var doc bsoncore.Document
			if doc, b, ok = wiremessage.ReadMsgSectionSingleDocument(rest); !ok {
				return cmd, false
			}
			cmd.Body = bson.Raw(doc)
		case wiremessage.DocumentSequence:
			var docs []bsoncore.Document
			if _, docs, b, ok = wiremessage.ReadMsgSectionDocumentSequence(rest); !ok {
				return cmd, false
			}
			for _, d := range docs {
				cmd.Documents = append(cmd.Documents, bson.Raw(d))
			}
		}
	}
	elems, err := cmd.Body.Elements()
	if err != nil || len(elems) == 0 {
		return cmd, false
	}
	cmd.Name = elems[0].Key()
	return cmd, true
}

func (s *Server) answerTo(cmd Command) bson.D {
	if slices.Contains([]string{"hello", "isMaster", "ismaster"}, cmd.Name) {
		return s.greet(cmd.Body)
	}
	s.mu.Lock()
	if until := s.held[cmd.Name]; until != nil {
		s.mu.Unlock()
		<-until
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	s.seen = append(s.seen, cmd)
	if s.answer != nil {
		if d := s.answer(cmd); d != nil {
			return d
		}
	}
	switch cmd.Name {
	case "find", "listIndexes", "aggregate":
		return Documents(0)
	}
	return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: max(1, len(cmd.Documents))}, {Key: "nModified", Value: 1}}
}

// greet answers hello. The first one of a connection says what the client calls itself.
func (s *Server) greet(said bson.Raw) bson.D {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := said.LookupErr("client"); err == nil {
		name, _ := said.Lookup("client", "application", "name").StringValueOK()
		s.apps = append(s.apps, name)
	}
	return append(slices.Clone(hello), bson.E{Key: "localTime", Value: time.Now().Add(s.skew)})
}

// hello makes the client take us for a router of a sharded cluster, which is one server whatever stands behind it.
var hello = bson.D{
	{Key: "ok", Value: 1}, {Key: "helloOk", Value: true}, {Key: "isWritablePrimary", Value: true}, {Key: "ismaster", Value: true},
	{Key: "msg", Value: "isdbgrid"}, {Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(48_000_000)},
	{Key: "maxWriteBatchSize", Value: int32(100_000)}, {Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: int32(21)},
	{Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
}

func reply(w io.Writer, to int32, message bool, d bson.D) error {
	raw, err := bson.Marshal(d)
	if err != nil {
		return err
	}
	op := wiremessage.OpReply
	if message {
		op = wiremessage.OpMsg
	}
	at, b := wiremessage.AppendHeaderStart(nil, 1, to, op)
	if message {
		b = wiremessage.AppendMsgSectionType(wiremessage.AppendMsgFlags(b, 0), wiremessage.SingleDocument)
	} else {
		b = binary.LittleEndian.AppendUint32(b, 8) // flags: AwaitCapable
		b = append(b, make([]byte, 12)...)         // cursor id, first document
		b = binary.LittleEndian.AppendUint32(b, 1) // documents
	}
	b = append(b, raw...)
	_, err = w.Write(bsoncore.UpdateLength(b, at, int32(len(b)))) //nolint:gosec // at most 48 MB
	return err
}
