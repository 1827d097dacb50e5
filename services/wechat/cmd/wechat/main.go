// Command wechat is service wechat as a process of its own.
package main

import (
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/wechat"
)

func main() { run.Main(wechat.Service) }
