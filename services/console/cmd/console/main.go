// Command console is service console as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/console"
)

func main() { run.Main(console.Service) }
