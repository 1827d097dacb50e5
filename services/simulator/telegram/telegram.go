// Package telegram plays the Bot API: it takes the calls of bots, and makes their updates.
package telegram

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Provider plays api.telegram.org.
type Provider struct {
	*stage.Stage
	Accounts *account.Registry
	Files    *media.Store
	// Allowed says whether a bot may send its updates to a URL.
	Allowed func(url string) bool

	updates atomic.Int64 // the number of the latest update
}

type obj = map[string]any

// APIs implements the simulator's provider.
func (p *Provider) APIs() map[string]func(http.ResponseWriter, *http.Request, string) {
	return map[string]func(http.ResponseWriter, *http.Request, string){typeName: p.Serve}
}

// Serve serves the Bot API: path is what follows its base, "/bot<token>/sendMessage" or "/file/bot<token>/photos/…".
func (p *Provider) Serve(w http.ResponseWriter, r *http.Request, path string) {
	rest, file := strings.CutPrefix(path, "/file")
	rest, bot := strings.CutPrefix(rest, "/bot")
	token, rest, _ := strings.Cut(rest, "/")
	a := p.Accounts.ByKey(typeName, token)
	switch {
	case !bot:
		stage.Write(w, refusal(404, "Not Found"))
	case a == nil || token == "":
		stage.Write(w, refusal(401, "Unauthorized"))
	case file:
		p.download(w, a, rest)
	default:
		p.method(w, r, a, rest)
	}
}

// Receipt implements the control API: there are none.
func (p *Provider) Receipt(*account.Account, string, string, int) (webhook.Post, error) {
	return webhook.Post{}, fault.At("/type", "not_applicable", "Telegram tells a bot nothing about what became of a message")
}
