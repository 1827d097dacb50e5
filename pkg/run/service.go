// Package run turns services into a process: one of them, or all of them.
//
// A service is a value that says what it consists of (routes, subscriptions, loops); run does the rest: configuration,
// logs, traces, clients, listeners, readiness and an orderly stop. A service cannot tell whether it runs alone.
package run

import (
	"context"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Service names a service and builds it.
type Service struct {
	Name string
	// Settings are the keys of the configuration that the service reads, beside those of every process (config.Config); it reads them
	// with config.Of.
	Settings []config.Settings
	// Collections are those that the service reads and writes: `tributary store ensure` creates them, and New requires
	// them.
	Collections []store.Spec
	// Lists are those of the collections whose documents stand in lists. What an earlier version has written last no list has:
	// `tributary store migrate` mends that, and New is called when it is done.
	Lists func(db store.DB) []store.Relister
	// New builds the service: requires its collections, prepares what it needs. ctx ends with the process; loops belong
	// into the Parts, not into goroutines of New.
	New func(ctx context.Context, env *Env) (*Parts, error)
}

// Parts is what a service consists of. A nil field is something it does not do.
type Parts struct {
	Routes    func(r gin.IRouter)         // on the public listener; paths have one owner by prefix
	Consumers []bus.Subscription          // run until the stop, then drained
	Loops     []Loop                      // run until the stop
	Ready     func(context.Context) error // besides the clients every process checks; never red for a blip of Redis or store
	Close     func() error                // called last, in reverse order of building, even after a failure
}

// Loop is something that runs as long as the process does. Run returns nil when ctx ends; an error stops the process.
type Loop struct {
	Name string
	Run  func(ctx context.Context) error
}

// Env is all that a service gets from the outside world. The clients are shared by all services of a process.
type Env struct {
	Service   string // the service's name: source of its events, label of its metrics
	Config    *config.Config
	Log       *slog.Logger
	Bus       bus.Bus
	DB        store.DB
	Cache     *cache.Cache
	Blob      *blob.Store
	Egress    *egress.Client
	Directory *directory.Directory
	Auth      *auth.Authenticator
	Sealer    *auth.Sealer
	PublicURL string // without a slash at the end
	Now       func() time.Time
	// Backlog tells how many unread bytes the in-process broker holds of a topic; nil on a real cluster, which has
	// disks and alerts of its own.
	Backlog func(topic string) int64
	// Stopping is closed when the process begins to stop: streams to browsers end then, requests may finish.
	Stopping <-chan struct{}
}
