// Package console is the service of the agents' console: the pages that people open in a browser, and the reference of the API. The
// pages use nothing but the public API; web/ is their source, and dist/ what make web has built of it.
package console

import (
	"context"
	"embed"
	"io/fs"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/console/reference"
)

//go:embed all:dist
var dist embed.FS

// Service is the console.
var Service = run.Service{Name: "console", New: New}

// New builds the service.
func New(context.Context, *run.Env) (*run.Parts, error) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	p, err := newPages(built)
	if err != nil {
		return nil, err
	}
	docs, err := reference.New()
	if err != nil {
		return nil, err
	}
	return &run.Parts{Routes: func(r gin.IRouter) {
		p.routes(r)
		docs.Routes(r)
	}}, nil
}
