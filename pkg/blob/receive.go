package blob

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/tributaryhq/tributary/pkg/fault"
)

const inMemory = 1 << 20 // bytes of a body that are received without a temporary file

// body is what was received: the key depends on all of it, so all of it is here before anything is written.
type body struct {
	sha  string
	size int64
	mime string
	mem  bytes.Buffer
	file *os.File // what did not fit into mem
}

func receive(r io.Reader, maxSize int64) (_ *body, err error) {
	b, s := &body{}, newSum()
	defer func() {
		if err != nil {
			b.discard()
		}
	}()
	r = io.TeeReader(io.LimitReader(r, maxSize+1), s)
	if _, err = io.CopyN(&b.mem, r, inMemory); err == nil {
		err = b.spill(r)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if s.size > maxSize {
		return nil, fault.New(fault.Invalid, "too_large", "more than %d bytes", maxSize)
	}
	b.sha, b.size, b.mime = s.sha(), s.size, s.mime()
	return b, nil
}

func (b *body) spill(r io.Reader) (err error) {
	if b.file, err = os.CreateTemp("", "tributary-blob-*"); err != nil {
		return err
	}
	_, err = io.Copy(b.file, r)
	return err
}

func (b *body) reader() (io.Reader, error) {
	mem := bytes.NewReader(b.mem.Bytes())
	if b.file == nil {
		return mem, nil
	}
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.MultiReader(mem, b.file), nil
}

func (b *body) discard() {
	if b.file != nil {
		_ = b.file.Close()
		_ = os.Remove(b.file.Name())
	}
}
