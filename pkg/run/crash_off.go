//go:build !crashpoints

package run

import (
	"net"
	"net/http"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Nothing stops a released process at a chosen step; binaries built with the tag crashpoints can (crash_on.go).

func watchBus(b bus.Bus) bus.Bus                            { return b }
func watchDB(db store.DB) store.DB                          { return db }
func watchCalls() func(http.RoundTripper) http.RoundTripper { return nil }
func watchListener(l net.Listener) net.Listener             { return l }
