// Command line is service line as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/line"
)

func main() { run.Main(line.Service) }
