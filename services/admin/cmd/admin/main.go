// Command admin is service admin as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/admin"
)

func main() { run.Main(admin.Service) }
