//go:build unix

package standalone

import "syscall"

func restrictNewFiles() { syscall.Umask(0o077) }
