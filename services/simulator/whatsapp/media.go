package whatsapp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// filePath is where files lie, behind the API's base; at Meta it is on another host.
const filePath = "/whatsapp_business/attachments"

// urlLife is how long the URL of a file works.
const urlLife = 5 * time.Minute

const (
	kib     = 1 << 10
	mib     = 1 << 20
	maxFile = 100 * mib
)

// largest is how big a file of a type may be, in bytes; 0: Meta does not take it.
func largest(mime string) int64 {
	mime, _, _ = strings.Cut(mime, ";")
	switch kind, _, _ := strings.Cut(mime, "/"); {
	case mime == "image/webp":
		return 500 * kib
	case mime == "image/jpeg" || mime == "image/png":
		return 5 * mib
	case kind == "image":
		return 0
	case kind == "audio" || kind == "video":
		return 16 * mib
	}
	return maxFile
}

func (p *Provider) keep(f *media.File) (id string) {
	n, err := rand.Int(rand.Reader, big.NewInt(9e15))
	if err != nil {
		panic(err) // never happens (crypto/rand)
	}
	id = strconv.FormatInt(1e15+n.Int64(), 10)
	p.Files.Put(id, f)
	return id
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// upload takes POST /media: a form with messaging_product, type and file.
func (p *Provider) upload(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "media", words{}, func() stage.Act {
		f, no, ok := form(w, r, a)
		return stage.Act{Name: "media", Kind: f.MIME, Do: func() stage.Answer {
			if !ok {
				return no
			}
			return stage.Answer{Status: 200, Body: obj{"id": p.keep(f)}}
		}}
	})
}

func form(w http.ResponseWriter, r *http.Request, a *account.Account) (f *media.File, no stage.Answer, ok bool) {
	f = &media.File{Of: a}
	r.Body = http.MaxBytesReader(w, r.Body, maxFile+mib)
	parts, err := r.MultipartReader()
	if err != nil {
		return f, refusal(100, "The parameter file is required."), false
	}
	product, typ := "", ""
	for {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return f, refusal(100, "Media file size too big."), false
		}
		switch part.FormName() {
		case "messaging_product":
			product = string(data)
		case "type":
			typ = string(data)
		case "file":
			f.Data, f.Name, f.MIME = data, part.FileName(), part.Header.Get("Content-Type")
		}
	}
	if typ != "" {
		f.MIME = typ
	}
	most := largest(f.MIME)
	switch {
	case product != "whatsapp":
		return f, refusal(100, "The parameter messaging_product is required."), false
	case len(f.Data) == 0:
		return f, refusal(100, "The parameter file is required."), false
	case most == 0:
		return f, refusal(100, "Param file must be a file of a supported type. Received file of type '"+f.MIME+"'."), false
	case int64(len(f.Data)) > most:
		return f, refusal(100, "Media file size too big. Max file size we currently support: "+strconv.FormatInt(most, 10)+" bytes."), false
	}
	return f, stage.Answer{}, true
}

// lookup takes GET and DELETE of a media id.
func (p *Provider) lookup(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "lookup", words{}, func() stage.Act {
		return stage.Act{Name: "lookup", Do: func() stage.Answer {
			f := p.Files.File(a, id)
			switch {
			case f == nil:
				return unknownObject(id)
			case r.Method == http.MethodDelete:
				p.Files.Delete(a, id)
				return stage.Answer{Status: 200, Body: obj{"success": true}}
			case r.Method != http.MethodGet:
				return unknownObject(id)
			}
			sum := sha256.Sum256(f.Data)
			return stage.Answer{Status: 200, Body: obj{"messaging_product": "whatsapp", "id": id, "mime_type": f.MIME,
				"file_size": len(f.Data), "sha256": hex.EncodeToString(sum[:]), "url": p.link(r, a, id)}}
		}}
	})
}

// link is where the bytes are: at the host that was asked, because there is no other; for 360dialog at Meta's, of which the
// client keeps the path.
func (p *Provider) link(r *http.Request, a *account.Account, id string) string {
	expires := strconv.FormatInt(p.Now().Add(urlLife).Unix(), 10)
	q := url.Values{"mid": {id}, "ext": {expires}, "hash": {seal(a, id, expires)}, "phone_number_id": {a.Config().ID}}
	scheme, host := "http", r.Host
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	if isDialog(a.Config()) {
		scheme, host = "https", "lookaside.fbsbx.com"
	}
	path, _, _ := strings.Cut(r.URL.Path, "/v")
	if isDialog(a.Config()) {
		path = strings.TrimSuffix(r.URL.Path, "/"+id)
	}
	return scheme + "://" + host + path + filePath + "/?" + q.Encode()
}

func seal(a *account.Account, id, expires string) string {
	return graph.Sum(a.Config().Secrets["access_token"]+a.Config().Secrets["api_key"], []byte(id+" "+expires))[:16]
}

// file serves the bytes. a is nil if the credentials are wrong.
func (p *Provider) file(w http.ResponseWriter, r *http.Request, a *account.Account) {
	q := r.URL.Query()
	expires, err := strconv.ParseInt(q.Get("ext"), 10, 64)
	switch {
	case a == nil:
		stage.Write(w, refusal(190, ""))
		return
	case err != nil || p.Now().Unix() > expires || q.Get("hash") != seal(a, q.Get("mid"), q.Get("ext")):
		stage.Write(w, stage.Answer{Status: 404, Body: "<html><title>URL signature expired</title></html>"})
		return
	}
	f := p.Files.File(a, q.Get("mid"))
	if f == nil {
		stage.Write(w, stage.Answer{Status: 404, Body: "<html><title>Not Found</title></html>"})
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Data)))
	_, _ = w.Write(f.Data)
}
