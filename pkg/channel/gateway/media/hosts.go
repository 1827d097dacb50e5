package media

import "sync"

// hosts bounds how many files are fetched at once, from one host and in all.
type hosts struct {
	mu  sync.Mutex
	of  map[string]int
	all int
}

func newHosts() *hosts { return &hosts{of: map[string]int{}} }

// place is room for one fetch. A nil place is none.
type place struct {
	hosts *hosts
	host  string
	once  sync.Once
}

// enter takes a place, or returns nil if the host or the process has none left.
func (h *hosts) enter(host string) *place {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all >= atOnce || h.of[host] >= perHost {
		return nil
	}
	h.all++
	h.of[host]++
	return &place{hosts: h, host: host}
}

// done gives the place back.
func (p *place) done() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		h := p.hosts
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all--
		if h.of[p.host]--; h.of[p.host] == 0 {
			delete(h.of, p.host)
		}
	})
}
