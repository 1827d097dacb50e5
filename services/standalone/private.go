package standalone

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// private makes the data directory, and takes the rights of other users away from all that is in it: customers' words, secrets and
// keys. What the process makes from here on is its own user's alone.
func private(dir string) error {
	restrictNewFiles()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return gone(err)
		}
		if !d.IsDir() && !d.Type().IsRegular() {
			return nil // the mode of what a link leads to is not ours
		}
		info, err := d.Info()
		if err != nil {
			return gone(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			if err := gone(os.Chmod(path, mode&0o700)); err != nil {
				return fmt.Errorf("take the rights of other users from %s: %w", path, err)
			}
		}
		return nil
	})
}

// gone is nil for what another process has removed in between.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
