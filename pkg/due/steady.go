package due

import (
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Steady is a clock that never falls and never stands still: it follows the wall clock forward, and where that is set
// back it goes on by the monotonic clock. It is for comparisons within a process, not for times that people see.
type Steady struct {
	wall func() time.Time

	mu   sync.Mutex
	at   time.Time // without a monotonic reading
	read time.Time // when at was the time, by the monotonic clock
}

// NewSteady returns a clock that follows wall.
func NewSteady(wall func() time.Time) *Steady {
	return &Steady{wall: wall, at: wall().Round(0), read: time.Now()}
}

// Now returns a time that is not before any that was returned or learned.
func (s *Steady) Now() event.Time {
	wall := s.wall().Round(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	read := time.Now()
	s.at, s.read = s.at.Add(read.Sub(s.read)), read
	if wall.After(s.at) {
		s.at = wall
	}
	return event.At(s.at)
}

// Learn moves the clock forward to a time that has come by the clock of another process.
func (s *Steady) Learn(t event.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	read := time.Now()
	s.at, s.read = s.at.Add(read.Sub(s.read)), read
	if t.After(event.At(s.at)) {
		s.at = t.Time
	}
}
