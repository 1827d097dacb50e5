//go:build !linux

package redo

import (
	"os"
	"runtime"
)

// dataSync brings what was written to a file to the disk.
func dataSync(f *os.File) error { return f.Sync() }

// syncDir brings the names in a folder to the disk. Windows keeps them by itself.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return syncFile(dir)
}
