// Command routing is service routing as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/routing"
)

func main() { run.Main(routing.Service) }
