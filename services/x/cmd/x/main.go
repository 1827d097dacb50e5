// Command x is service x as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/x"
)

func main() { run.Main(x.Service) }
