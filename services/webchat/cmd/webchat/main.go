// Command webchat is service webchat as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/webchat"
)

func main() { run.Main(webchat.Service) }
