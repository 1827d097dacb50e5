//go:build crashpoints

package run

import (
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/crash"
	"github.com/tributaryhq/tributary/pkg/store"
)

// fuse is nil if the environment names no point.
var fuse = fromEnv()

func fromEnv() *crash.Fuse {
	s := os.Getenv(crash.Env)
	if s == "" {
		return nil
	}
	p, err := crash.Parse(s)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return crash.New(p)
}

func watchBus(b bus.Bus) bus.Bus                            { return fuse.Bus(b) }
func watchDB(db store.DB) store.DB                          { return fuse.DB(db) }
func watchCalls() func(http.RoundTripper) http.RoundTripper { return fuse.Transport() }
func watchListener(l net.Listener) net.Listener             { return fuse.Listener(l) }
