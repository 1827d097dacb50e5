// Package media holds the files of the simulated providers: uploaded ones, and those that people send.
package media

import (
	"sync"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

// Budget is how many bytes of files are kept; the oldest go first.
const Budget = 192 << 20

const maxFiles = 100_000

// File is a file at a provider.
type File struct {
	Of   *account.Account
	Kind string // image, audio …
	MIME string
	Name string
	Data []byte
}

// Store is safe for concurrent use. The zero value is empty.
type Store struct {
	mu    sync.Mutex
	files map[string]*File
	order []string
	bytes int
}

// Put keeps a file under an id, which must be new.
func (s *Store) Put(id string, f *File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]*File{}
	}
	s.files[id] = f
	s.order = append(s.order, id)
	s.bytes += len(f.Data)
	for len(s.order) > 1 && (s.bytes > Budget || len(s.order) > maxFiles) {
		s.drop(s.order[0])
		s.order = s.order[1:]
	}
}

func (s *Store) drop(id string) {
	if f := s.files[id]; f != nil {
		s.bytes -= len(f.Data)
		delete(s.files, id)
	}
}

// File is an account's file, nil if there is none under that id.
func (s *Store) File(of *account.Account, id string) *File {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[id]; f != nil && f.Of == of {
		return f
	}
	return nil
}

// Delete forgets an account's file and reports whether there was one.
func (s *Store) Delete(of *account.Account, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[id]; f == nil || f.Of != of {
		return false
	}
	s.drop(id) // its place in the order ages away
	return true
}
