// Command tributary is the whole platform in one binary: all services, with in-process servers for what the configuration does
// not name. Called as tributary-<service>, by a link of that name, it is that service alone, as the binary of that name is.
package main

import (
	"os"

	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/standalone"
)

func main() {
	if s, ok := standalone.CalledAs(os.Args[0]); ok {
		run.Main(s)
		return
	}
	os.Exit(standalone.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
