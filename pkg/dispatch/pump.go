package dispatch

import (
	"slices"
	"time"
)

// push puts a line into the scope's queue and makes sure that somebody drains it.
func (s *scope) push(w work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[lane(w.bulk)] = append(s.lines[lane(w.bulk)], w)
	if !s.running {
		s.running = true
		go s.pump()
	}
	s.wake()
}

// pump takes the scope's lines in turn and drains one row of each, as long as there are any. It waits for the scope only:
// every scope has its own.
func (s *scope) pump() {
	s.learn()
	for {
		w, ok := s.pop()
		if !ok {
			return
		}
		for waits := true; waits; {
			waits = s.start(w)
		}
	}
}

// start drains a row of the line if the scope lets it; true: it does not yet, and nothing else could have been done.
func (s *scope) start(w work) bool {
	permit, no := s.enter(w.line.key)
	switch {
	case permit != nil:
		go w.table.owner.drain(w, permit)
		return false
	case no.key:
		w.table.later(w.line, time.Now().Add(no.wait))
		return false
	case !s.Now().Before(w.until), w.table.owner.elsewhere(s.id): // expires, or is handed on, and needs no leave for that
		go w.table.owner.drain(w, nil)
		return false
	}
	alive := s.hold(w, no.wait)
	s.expire()
	return alive
}

// expire drains the lines whose oldest row is too old, although the scope is shut.
func (s *scope) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	for i := range s.lines {
		s.lines[i] = slices.DeleteFunc(s.lines[i], func(w work) bool {
			if now.Before(w.until) {
				return false
			}
			go w.table.owner.drain(w, nil)
			return true
		})
	}
}

// pop takes the next line whose owner is still there; false ends the pump.
func (s *scope) pop() (work, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		i := 0
		if s.turn++; len(s.lines[0]) == 0 || s.turn%bulkTurn == 0 && len(s.lines[1]) > 0 {
			i = 1
		}
		if len(s.lines[i]) == 0 {
			s.running = false
			return work{}, false
		}
		w := s.lines[i][0]
		s.lines[i][0] = work{}
		s.lines[i] = s.lines[i][1:]
		if !w.table.lost() {
			return w, true
		}
	}
}

// hold waits until the scope may have room; false: the line's owner is gone.
func (s *scope) hold(w work, wait time.Duration) bool {
	timer := time.NewTimer(min(wait, time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.room:
	case <-w.table.owner.done():
		return false
	}
	return true
}

func lane(bulk bool) int {
	if bulk {
		return 1
	}
	return 0
}
