package redo

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

const (
	fileBytes = 32 << 20 // of each of the two files, unless one entry is larger
	growBytes = 1 << 20  // a file grows by so much, filled with zeros: overwriting costs the disk less than appending
	entryHead = 24       // length 4, checksum 4, run 8, number 8
)

// files are the two files of the redo log. Entries are written to one until it is full, then to the other over what is there. An
// entry has the number of the one before it plus one, and the run of the process that wrote it: what does not continue the row is
// left from an earlier pass, or was not finished.
type files struct {
	disk Disk
	file [2]*os.File
	size [2]int64
	last [2]uint64 // the number of a file's last entry

	current int
	at      int64 // where the next entry goes
	run     uint64
	number  uint64 // of the last entry
}

func openFiles(dir string, d Disk) (*files, error) {
	f := &files{disk: d}
	for i, name := range []string{"0.redo", "1.redo"} {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.file[i] = file
		info, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.size[i] = info.Size()
	}
	return f, nil
}

func (f *files) close() error {
	var errs []error
	for _, file := range f.file {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}

// content is a payload that was read: its place in the files, and its bytes, which the next one overwrites.
type content struct {
	file    *os.File
	at      int64
	payload []byte
}

// scan visits every entry in the order in which they were written, and finds the place for the next one.
func (f *files) scan(visit func(content) error) error {
	older, err := f.older()
	if err != nil {
		return err
	}
	for _, i := range []int{older, 1 - older} {
		end, err := f.scanFile(i, visit)
		if err != nil {
			return err
		}
		if f.last[i] > f.number || f.number == 0 {
			f.current, f.at, f.number = i, end, f.last[i]
		}
	}
	f.run++
	return nil
}

// older tells which of the files was begun first.
func (f *files) older() (int, error) {
	var first [2]uint64
	for i, file := range f.file {
		var head [entryHead]byte
		if _, err := file.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		first[i] = binary.LittleEndian.Uint64(head[16:])
	}
	if first[1] < first[0] {
		return 1, nil
	}
	return 0, nil
}

// scanFile visits the entries of one file and returns where they end.
func (f *files) scanFile(i int, visit func(content) error) (end int64, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f.file[i], 0, f.size[i]), 256<<10)
	var head [entryHead]byte
	var payload []byte
	var run uint64
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return end, unlessEnd(err)
		}
		length := int64(binary.LittleEndian.Uint32(head[:]))
		itsRun, number := binary.LittleEndian.Uint64(head[8:]), binary.LittleEndian.Uint64(head[16:])
		if length == 0 || length > f.size[i]-end-entryHead || itsRun < run || end > 0 && number != f.last[i]+1 {
			return end, nil
		}
		if int64(cap(payload)) < length {
			payload = make([]byte, length)
		}
		payload = payload[:length]
		if _, err := io.ReadFull(r, payload); err != nil {
			return end, unlessEnd(err)
		}
		if checksum(head[8:], payload) != binary.LittleEndian.Uint32(head[4:]) {
			return end, nil
		}
		if err := visit(content{f.file[i], end + entryHead, payload}); err != nil {
			return end, err
		}
		run, f.run, f.last[i] = itsRun, max(f.run, itsRun), number
		end += entryHead + length
	}
}

func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func checksum(parts ...[]byte) (sum uint32) {
	for _, p := range parts {
		sum = crc32.Update(sum, castagnoli, p)
	}
	return sum
}

// full reports whether an entry goes to the other file.
func (f *files) full(entry []byte) bool { return f.at > 0 && f.at+int64(len(entry)) > fileBytes }

// turn goes on with the other file: what it holds is given up.
func (f *files) turn() { f.current, f.at = 1-f.current, 0 }

// oldest is the number of the last entry that a turn would give up.
func (f *files) oldest() uint64 { return f.last[1-f.current] }

// write adds an entry: a payload behind entryHead bytes, which write fills. With sync it is on the disk afterwards.
func (f *files) write(entry []byte, sync bool) error {
	payload := entry[entryHead:]
	binary.LittleEndian.PutUint32(entry, uint32(len(payload)))
	binary.LittleEndian.PutUint64(entry[8:], f.run)
	binary.LittleEndian.PutUint64(entry[16:], f.number+1)
	binary.LittleEndian.PutUint32(entry[4:], checksum(entry[8:entryHead], payload))
	file, end := f.file[f.current], f.at+int64(len(entry))
	if end > f.size[f.current] {
		grown := (end + growBytes - 1) / growBytes * growBytes
		if _, err := file.WriteAt(make([]byte, grown-end), end); err != nil {
			return err
		}
		f.size[f.current] = grown
	}
	if _, err := file.WriteAt(entry, f.at); err != nil {
		return err
	}
	if sync {
		if err := f.disk.Data(file, f.at, end-f.at); err != nil {
			return lostSync{err}
		}
	}
	f.number++
	f.last[f.current], f.at = f.number, end
	return nil
}
