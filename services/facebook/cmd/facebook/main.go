// Command facebook is service facebook as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/facebook"
)

func main() { run.Main(facebook.Service) }
