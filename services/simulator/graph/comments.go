package graph

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

const (
	remembered = 100_000            // comments, of all accounts together
	replyFor   = 7 * 24 * time.Hour // after that a comment is not answered privately any more
)

// Comment is one that somebody, or the account, wrote below a post.
type Comment struct {
	From string // as the control API named them; empty: the account
	Post string
	At   time.Time
	told bool // it was answered privately
}

// Comments are those of all accounts of a product.
type Comments struct{ of *lru.Cache[string, Comment] }

// NewComments returns a memory without any.
func NewComments() *Comments {
	of, _ := lru.New[string, Comment](remembered) // fails only without a size
	return &Comments{of}
}

func commentKey(a *account.Account, id string) string { return a.Config().ID + " " + id }

// Get finds a comment.
func (cs *Comments) Get(a *account.Account, id string) (Comment, bool) {
	return cs.of.Get(commentKey(a, id))
}

// Add remembers a comment.
func (cs *Comments) Add(a *account.Account, id string, c Comment) { cs.of.Add(commentKey(a, id), c) }

// Remove forgets a comment.
func (cs *Comments) Remove(a *account.Account, id string) { cs.of.Remove(commentKey(a, id)) }

// Author is the id in a scope of who wrote a comment; empty if there is none, or if it is the account's own.
func (cs *Comments) Author(a *account.Account, scope, id string) string {
	if c, _ := cs.Get(a, id); c.From != "" {
		return Scoped(a.Config(), scope, c.From)
	}
	return ""
}

// WrongPrivate is the error of a second private reply to a comment, or of one that comes too late; 0: it is taken.
func (cs *Comments) WrongPrivate(a *account.Account, id string, now time.Time) (code int) {
	switch c, _ := cs.Get(a, id); {
	case c.told:
		return 10900
	case now.Sub(c.At) > replyFor:
		return 10903
	}
	return 0
}

// Tell notes that a comment was answered privately.
func (cs *Comments) Tell(a *account.Account, id string) {
	if c, ok := cs.Get(a, id); ok {
		c.told = true
		cs.Add(a, id, c)
	}
}
