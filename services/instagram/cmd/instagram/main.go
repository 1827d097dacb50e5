// Command instagram is service instagram as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/instagram"
)

func main() { run.Main(instagram.Service) }
