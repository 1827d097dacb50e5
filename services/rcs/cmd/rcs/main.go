// Command rcs is service rcs as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/rcs"
)

func main() { run.Main(rcs.Service) }
