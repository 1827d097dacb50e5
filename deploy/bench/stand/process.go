// Package stand starts what is measured, as one process or as separate ones, looks at its processes from outside, and sets up
// channels through the public API.
package stand

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is one process: that this program has started, or that of a pod, of which its metrics tell.
type Process struct {
	Name  string
	Admin string    // its admin address, http://host:port; "" if it has none
	cmd   *exec.Cmd // nil: of a pod
	log   *os.File
	done  chan struct{}
}

// launch starts a program with exactly this environment; what it says goes to a file beside its data.
func launch(name, path, dir string, args, env []string) (*Process, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, dir, log, log
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	p := &Process{Name: name, cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is asked by stop
		close(p.done)
	}()
	return p, nil
}

// stop ends the process in order, or with force if it does not.
func (p *Process) stop() error {
	_ = p.cmd.Process.Signal(os.Interrupt) // an error means that it has ended
	select {
	case <-p.done:
	case <-time.After(40 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		return errors.Join(fmt.Errorf("%s does not stop", p.Name), p.log.Close())
	}
	return p.log.Close()
}

func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// ticks is the unit of times in /proc: USER_HZ, which is 100 on every Linux.
const ticks = 10 * time.Millisecond

// cpu is the processor time of the process, user and system (proc(5), fields 14 and 15).
func (p *Process) cpu() time.Duration {
	if p.cmd == nil {
		return time.Duration(p.metric("process_cpu_seconds_total ") * float64(time.Second))
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64) // the kernel writes numbers
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * ticks
}

// memory is what the process has in memory now, and had at most, in bytes.
func (p *Process) memory() (now, most int64) {
	if p.cmd == nil {
		now = int64(p.metric("process_resident_memory_bytes "))
		return now, now
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseInt(f[1], 10, 64) // the kernel writes numbers
		switch f[0] {
		case "VmRSS:":
			now = kb << 10
		case "VmHWM:":
			most = kb << 10
		}
	}
	return now, most
}

// Own is the processor time that this program has used.
func Own() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// free finds a port of the loopback interface that nobody uses.
func free() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // only to learn a port
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Address is one where nobody listens: host:port.
func Address() (string, error) {
	port, err := free()
	return fmt.Sprintf("127.0.0.1:%d", port), err
}
