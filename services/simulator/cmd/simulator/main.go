// Command simulator plays the providers in a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/simulator"
)

func main() { run.Main(simulator.Service) }
