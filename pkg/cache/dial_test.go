package cache

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestConnectionsAreKept: what the pool opens under load it keeps, or every burst would dial anew.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.alone()
	to := s.url[len("redis://"):]
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var dials atomic.Int64
	var wires sync.WaitGroup
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			wires.Go(func() { pipe(c, to) })
		}
	}()
	c, err := Open("redis://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(); _ = l.Close(); wires.Wait() })
	for range 5 {
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				if err := c.Put(t.Context(), "k", []byte("v"), time.Minute); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	if n := dials.Load(); n > 2*64 {
		t.Errorf("%d connections for 64 callers at a time", n)
	}
}

// pipe passes bytes both ways until one side ends.
func pipe(a net.Conn, to string) {
	defer a.Close()
	b, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { copyTo(b, a) })
	both.Go(func() { copyTo(a, b) })
	both.Wait()
}

func copyTo(dst, src net.Conn) {
	defer dst.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if _, werr := dst.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}
