package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dataSync brings what was written to a file to the disk, and its length; not its times.
func dataSync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// forget has the kernel read a file from the disk again (posix_fadvise(2)).
func forget(f *os.File) error {
	return os.NewSyscallError("fadvise", unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
}
