//go:build !linux

package redo

import "os"

// dataSync brings what was written to a file to the disk.
func dataSync(f *os.File) error { return f.Sync() }
