// Command deliverystatus is service deliverystatus as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/deliverystatus"
)

func main() { run.Main(deliverystatus.Service) }
