package stand

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// CPU is the processor time that all processes have used so far. Servers outside are not counted.
func (s *Stand) CPU() (d time.Duration) {
	for _, p := range s.processes {
		d += p.cpu()
	}
	return d
}

// Memory is what all processes have in memory now, and the sum of what each had at most, in bytes.
func (s *Stand) Memory() (now, most int64) {
	for _, p := range s.processes {
		n, m := p.memory()
		now, most = now+n, most+m
	}
	return now, most
}

// Settle waits until the processes have nothing to do any more: less than a tenth of a processor for half a second.
func (s *Stand) Settle(ctx context.Context, most time.Duration) (took time.Duration) {
	const look = 500 * time.Millisecond
	begin := time.Now()
	for before := s.CPU(); time.Since(begin) < most && ctx.Err() == nil; {
		time.Sleep(look)
		now := s.CPU()
		if now-before < look/10 {
			break
		}
		before = now
	}
	return time.Since(begin)
}

// Profile takes a CPU profile of every process for d, in the background, into files of dir.
func (s *Stand) Profile(dir, name string, d time.Duration) {
	if dir == "" {
		return
	}
	for _, p := range s.processes {
		if p.Admin == "" {
			continue
		}
		go func() {
			path := filepath.Join(dir, name+"."+p.Name+".pprof")
			if err := fetch(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", p.Admin, max(1, int(d.Seconds()))), path); err != nil {
				fmt.Fprintln(os.Stderr, "bench: no profile:", err)
			}
		}()
	}
}

func fetch(url, path string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, resp.Body); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
