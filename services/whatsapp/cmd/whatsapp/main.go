// Command whatsapp is service whatsapp as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/whatsapp"
)

func main() { run.Main(whatsapp.Service) }
