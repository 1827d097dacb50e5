package redo

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/tributaryhq/tributary/pkg/disk"
)

// Disk is how bytes become safe. Tests put one of their own in its place, to know what a loss of power can take away.
type Disk interface {
	// Data brings length bytes of f, from an offset on, to the disk.
	Data(f *os.File, from, length int64) error
	// File brings a whole file or folder to the disk; one that is not there needs no sync.
	File(path string) error
}

type realDisk struct{}

func (realDisk) Data(f *os.File, _, _ int64) error { return disk.Data(f) }

func (realDisk) File(path string) error { return disk.Sync(path) }

// replaceFile writes a file so that it has either its old or its new content.
func replaceFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

func replaceJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return replaceFile(path, b)
}
