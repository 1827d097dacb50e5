package wechat

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

const mib = 1 << 20

// largest is how many bytes a file of a kind may have.
var largest = map[string]int{"image": 10 * mib, "voice": 2 * mib, "video": 10 * mib, "thumb": 64 << 10}

// upload keeps a file under a new id.
func (p *Provider) upload(w http.ResponseWriter, r *http.Request, a *account.Account) {
	kind := r.URL.Query().Get("type")
	p.Play(w, r, a, "upload", words{}, func() stage.Act {
		f := &media.File{Of: a, Kind: kind}
		r.Body = http.MaxBytesReader(w, r.Body, 12*mib)
		var err error
		if file, head, ferr := r.FormFile("media"); ferr == nil {
			f.Name, f.MIME = head.Filename, head.Header.Get("Content-Type")
			f.Data, err = io.ReadAll(file)
		} else {
			err = ferr
		}
		return stage.Act{Name: "upload", Kind: kind, Do: func() stage.Answer {
			most, known := largest[kind]
			switch {
			case !known:
				return refusal(40004, "")
			case err != nil || len(f.Data) == 0:
				return refusal(40005, "")
			case len(f.Data) > most:
				return refusal(40009, "")
			}
			id := newMediaID()
			p.Files.Put(id, f)
			return stage.Answer{Status: 200, Body: obj{"type": kind, "media_id": id, "created_at": p.Now().Unix()}}
		}}
	})
}

func newMediaID() string {
	b := make([]byte, 33)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// file serves a file; of a video it says where it is.
func (p *Provider) file(w http.ResponseWriter, r *http.Request, a *account.Account) {
	f := p.Files.File(a, r.URL.Query().Get("media_id"))
	if f == nil {
		stage.Write(w, refusal(40007, ""))
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	w.Header().Set("Content-Disposition", "attachment")
	_, _ = w.Write(f.Data)
}
