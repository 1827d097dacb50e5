// Command telegram is service telegram as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/telegram"
)

func main() { run.Main(telegram.Service) }
