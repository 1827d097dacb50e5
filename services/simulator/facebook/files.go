package facebook

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// form is a body with a file, or JSON without one.
type form struct {
	values map[string]string
	file   *media.File
	body   []byte // without a file
}

// read reads a form; ok is false for one that is too large or broken.
func read(w http.ResponseWriter, r *http.Request, a *account.Account, name string) (f form, ok bool) {
	f.values = map[string]string{}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		f.body, ok = stage.Read(w, r, maxJSON)
		f.body = graph.JSON(r, f.body)
		var values map[string]json.RawMessage
		_ = json.Unmarshal(f.body, &values) // what is no object names nothing
		for k, v := range values {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			f.values[k] = text
		}
		return f, ok
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxFile+maxJSON)
	parts, err := r.MultipartReader()
	for err == nil {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return f, false
		}
		if part.FormName() == name {
			f.file = &media.File{Of: a, Data: data, Name: part.FileName(), MIME: part.Header.Get("Content-Type")}
		} else {
			f.values[part.FormName()] = string(data)
		}
	}
	return f, err == nil
}

// upload takes POST /message_attachments: a file that messages can name.
func (p *Provider) upload(w http.ResponseWriter, r *http.Request, a *account.Account) {
	p.Play(w, r, a, "message_attachments", words, func() stage.Act {
		in, ok := read(w, r, a, "filedata")
		var about message
		bad := json.Unmarshal([]byte(in.values["message"]), &about) != nil || about.Attachment == nil
		act := stage.Act{Name: "message_attachments"}
		if !bad {
			act.Kind = about.Attachment.Type
		}
		act.Do = func() stage.Answer {
			switch {
			case !ok:
				return refusal(2018109, "")
			case bad:
				return refusal(100, "The parameter message is required")
			case in.file == nil && about.Attachment.Payload.URL == "":
				return refusal(2018047, "")
			}
			f := in.file
			if f == nil {
				f = &media.File{Of: a}
			}
			id := p.number()
			p.Files.Put(id, f)
			return stage.Answer{Status: 200, Body: obj{"attachment_id": id}}
		}
		return act
	})
}
