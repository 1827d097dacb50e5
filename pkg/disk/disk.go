// Package disk brings files to the disk, so that a loss of power does not take them.
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
	return errors.Join(f.Sync(), f.Close())
}
