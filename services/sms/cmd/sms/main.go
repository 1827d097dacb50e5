// Command sms is service sms as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/sms"
)

func main() { run.Main(sms.Service) }
