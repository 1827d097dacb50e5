package redo

import (
	"os"
	"syscall"
)

// dataSync brings what was written to a file to the disk, and its length; not its times.
func dataSync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
