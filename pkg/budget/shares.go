package budget

import "sync"

// Shares bounds what is held at a time: Each by a key, All by all keys together.
type Shares struct {
	All, Each int64

	mu   sync.Mutex
	held map[string]int64
	sum  int64
}

// NewShares returns empty shares.
func NewShares(all, each int64) *Shares {
	return &Shares{All: all, Each: each, held: map[string]int64{}}
}

// Take holds n units for the key. It reports false, and holds nothing, if the key or all keys together would hold too much.
func (s *Shares) Take(key string, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sum+n > s.All || s.held[key]+n > s.Each {
		return false
	}
	s.sum += n
	s.held[key] += n
	return true
}

// Give ends the holding of n units.
func (s *Shares) Give(key string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum -= n
	if s.held[key] -= n; s.held[key] <= 0 {
		delete(s.held, key)
	}
}
