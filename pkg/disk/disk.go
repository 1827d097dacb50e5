// Package disk brings files to the disk, so that a loss of power does not take them.
//
// After a sync that failed, Linux counts what it could not write as written: reads show it, and a later sync passes over
// it. So the kernel's copy of the file is dropped, and whoever reads it next, also after a restart, sees what the disk has.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// Sync brings a file with its length, or the names in a folder, to the disk. One that is not there needs no sync; Windows keeps names
// by itself.
func Sync(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() && runtime.GOOS == "windows" {
		return errors.Join(err, f.Close())
	}
	return errors.Join(trust(f, f.Sync()), f.Close())
}

// Data brings what was written to a file to the disk, and its length; not its times.
func Data(f *os.File) error { return trust(f, dataSync(f)) }

// trust passes on the outcome of a sync of f.
func trust(f *os.File, synced error) error {
	if synced == nil {
		return nil
	}
	return errors.Join(synced, forget(f))
}
