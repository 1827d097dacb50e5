package graph

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// FilePath is where the files of people lie, behind the API's base; at Meta it is another host.
const FilePath = "/cdn/"

// CDN has the files of people, for whoever has the URL of one.
type CDN struct {
	Type      string // of the accounts
	Accounts  *account.Registry
	Files     *media.Store
	PublicURL string
}

// Link is where a file is fetched from; id is a new one.
func (n CDN) Link(a *account.Account, f *media.File, id string) string {
	n.Files.Put(id, f)
	return n.PublicURL + "/simulator/" + n.Type + FilePath + a.Config().ID + "/" + id + "?oh=" + seal(a, id)
}

func seal(a *account.Account, id string) string {
	return Sum(a.Config().Secrets["app_secret"], []byte(id))[:32]
}

// Serve gives the file at <account>/<id>.
func (n CDN) Serve(w http.ResponseWriter, r *http.Request, path string) {
	of, id, _ := strings.Cut(path, "/")
	a := n.Accounts.ByID(n.Type, of)
	if a == nil || r.URL.Query().Get("oh") != seal(a, id) {
		stage.Write(w, stage.Answer{Status: 403, Body: "URL signature mismatch"})
		return
	}
	f := n.Files.File(a, id)
	if f == nil {
		stage.Write(w, stage.Answer{Status: 404, Body: "<html><title>Not Found</title></html>"})
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Data)))
	_, _ = w.Write(f.Data)
}
