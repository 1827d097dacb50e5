package stand

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// Settle waits until the processes have nothing to do any more: nothing that they consume is left to be worked off, and they
// use less than a tenth of a processor for half a second.
func (s *Stand) Settle(ctx context.Context, most time.Duration) (took time.Duration) {
	const look = 500 * time.Millisecond
	begin := time.Now()
	for before := s.CPU(); time.Since(begin) < most && ctx.Err() == nil; {
		time.Sleep(look)
		now := s.CPU()
		if (now-before < look/10 || s.urls != nil) && s.behind() == 0 { // pods are many, and use some by being asked
			break
		}
		before = now
	}
	return time.Since(begin)
}

// behind is how many records the processes have yet to work off, by their own metrics.
func (s *Stand) behind() (n float64) {
	for _, p := range s.processes {
		n += p.metric("tributary_consumer_lag_messages{")
	}
	return n
}

// metric is the sum of the metrics of a process whose lines begin with something; 0 if it tells of none.
func (p *Process) metric(begin string) (n float64) {
	var text bytes.Buffer
	if p.Admin == "" || fetch(p.Admin+"/metrics", &text) != nil {
		return 0
	}
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, begin) {
			v, _ := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64) // else it is not there
			n += v
		}
	}
	return n
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
			if err := save(fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", p.Admin, max(1, int(d.Seconds()))), filepath.Join(dir, name+"."+p.Name+".pprof")); err != nil {
				fmt.Fprintln(os.Stderr, "bench: no profile:", err)
			}
		}()
	}
}

func save(url, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(fetch(url, f), f.Close())
}

func fetch(url string, to io.Writer) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	_, err = io.Copy(to, resp.Body)
	return err
}
