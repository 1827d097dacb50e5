// Command inbox is service inbox as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/inbox"
)

func main() { run.Main(inbox.Service) }
