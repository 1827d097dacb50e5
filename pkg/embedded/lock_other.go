//go:build !unix

package embedded

import (
	"os"
	"path/filepath"
)

// lockDir makes dir. Without flock, two processes on one dir are not found out.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, "broker.lock"), os.O_CREATE|os.O_RDWR, 0o640)
}

func unlock(f *os.File) error { return f.Close() }
