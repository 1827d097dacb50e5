// Command tributary is the whole platform in one binary: all services, with in-process servers for what the configuration does
// not name.
package main

import (
	"os"

	"github.com/tributaryhq/tributary/services/standalone"
)

func main() { os.Exit(standalone.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }
