// Package sessiontest has a small protocol of its own, with a provider that does as it is told and a session that speaks it: what a
// session of a real protocol must do, in few lines.
//
// A frame is its length in four bytes, and JSON. Whoever connects binds, and then both sides may ask: submit, deliver, enquire, unbind.
// An answer has the number of what it answers.
package sessiontest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// frame is one message of either side.
type frame struct {
	Kind   string `json:"kind"` // bind, submit, deliver, enquire, unbind; of an answer: answer
	Seq    uint32 `json:"seq"`
	Status int    `json:"status,omitempty"` // of an answer: as in HTTP
	After  string `json:"after,omitempty"`  // of an answer: seconds
	User   string `json:"user,omitempty"`
	Pass   string `json:"pass,omitempty"`
	Body   []byte `json:"body,omitempty"`
}

const answer = "answer"

// maxFrame is how many bytes a frame may have.
const maxFrame = 64 << 10

var errFrame = errors.New("no frame of the protocol")

func encode(f frame) []byte {
	b, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("frame: %v", err)) // its fields always marshal
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func decode(r io.Reader) (f frame, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return f, fmt.Errorf("%w: %d bytes, at most %d are taken", errFrame, n, maxFrame)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return f, err
	}
	if json.Unmarshal(body, &f) != nil || f.Kind == "" {
		return f, errFrame
	}
	return f, nil
}
