//go:build !linux

package disk

import "os"

// dataSync brings what was written to a file to the disk.
func dataSync(f *os.File) error { return f.Sync() }

// forget does nothing: there is no portable way.
func forget(*os.File) error { return nil }
