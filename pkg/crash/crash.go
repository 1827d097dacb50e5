// Package crash stops a process with SIGKILL at a chosen step, for tests that prove what a kill -9 may and may not lose
// (promise P13). It decorates what every durable step passes: the bus, the store, the calls to providers, the public listener.
//
// No released binary has it: pkg/run uses it only under the build tag crashpoints.
package crash

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Env names the variable that chooses the point: when:step:name:n, for example after:publish:tributary.inbound:3.
const Env = "CRASH"

// The steps, and what their names are.
const (
	Answer  = "answer"  // "public": an HTTP answer of status 2xx is written to its connection
	Publish = "publish" // a topic: records are written to it, all of one call counting once
	Handle  = "handle"  // a topic or a group: a record is handled; after it, its offset is not committed yet
	Insert  = "insert"  // a collection
	Update  = "update"  // a collection: a compare-and-set that is no Clear
	Clear   = "clear"   // a collection: a compare-and-set that does nothing but take published facts out
	Delete  = "delete"  // a collection
	Call    = "call"    // "provider": an HTTP request is sent; after it, the answer's header was read
)

var steps = []string{Answer, Publish, Handle, Insert, Update, Clear, Delete, Call}

// Point is one step in one place: the process dies before or after its nth occurrence.
type Point struct {
	After bool
	Step  string
	Name  string
	N     int64 // 1 is the first
}

// Parse reads a point as [Env] has it.
func Parse(s string) (p Point, err error) {
	f := strings.Split(s, ":")
	if len(f) != 4 || f[0] != "before" && f[0] != "after" || !slices.Contains(steps, f[1]) || f[2] == "" {
		return p, fmt.Errorf("%s: %q: want before|after:%s:name:n", Env, s, strings.Join(steps, "|"))
	}
	p = Point{After: f[0] == "after", Step: f[1], Name: f[2]}
	if p.N, err = strconv.ParseInt(f[3], 10, 64); err != nil || p.N < 1 {
		return p, fmt.Errorf("%s: %q: n is a number from 1 on", Env, s)
	}
	return p, nil
}

// Fuse counts the occurrences of a point's step and ends the process at the right one. A nil Fuse does nothing.
type Fuse struct {
	Point
	seen atomic.Int64
	die  func() // does not return, in a process
}

// New returns the fuse of a point.
func New(p Point) *Fuse { return &Fuse{Point: p, die: kill} }

// kill says where it happens, and ends this process as kill -9 does: nothing is flushed, closed or deferred.
func kill() {
	_, _ = os.Stderr.WriteString("crash point reached\n")
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way; nothing more happens here
}

// about reports whether an occurrence under one of the names is of the fuse's kind.
func (f *Fuse) about(step string, names ...string) bool {
	return f.Step == step && slices.Contains(names, f.Name)
}

// around runs do, which makes n occurrences if they are of the fuse's kind, and dies before or after.
func (f *Fuse) around(match bool, do func() (happened bool)) {
	if !match {
		do()
		return
	}
	if !f.After {
		f.count()
		do()
		return
	}
	if do() {
		f.count()
	}
}

func (f *Fuse) count() {
	if f.seen.Add(1) == f.N {
		f.die()
	}
}
