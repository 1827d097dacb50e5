package x

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

const maxText = 10_000

// outgoing is the body of a send.
type outgoing struct {
	Text  string `json:"text"`
	Files []struct {
		ID string `json:"media_id"`
	} `json:"attachments"`
}

func (p *Provider) send(w http.ResponseWriter, r *http.Request, a *account.Account, to string) {
	p.Play(w, r, a, "dm", words{}, func() stage.Act {
		body, ok := stage.Read(w, r, maxBody)
		var o outgoing
		err := json.Unmarshal(body, &o)
		kind := "text"
		if len(o.Files) > 0 {
			kind = "media"
		}
		return stage.Act{Name: "dm", To: to, Kind: kind, Do: func() stage.Answer {
			who, state := a.People.Known(to), a.Script().Recipient(to)
			switch {
			case !ok || err != nil || o.Text == "" && len(o.Files) == 0 || len(o.Files) > 1 || utf8.RuneCountInString(o.Text) > maxText:
				return refusal(400, "")
			case state == "unknown":
				return refusal(404, "Could not find user with id: ["+to+"].")
			case state == "blocked" || who.Blocked || a.Script().Closed(who.Wrote, p.Now()):
				return refusal(403, "")
			case len(o.Files) == 1 && p.Files.File(a, o.Files[0].ID) == nil:
				return refusal(400, "The media id is not valid.")
			}
			id := p.nextID()
			m := &ledger.Message{ID: id, IDs: []string{id}, To: to, Kind: kind, Text: o.Text, Body: body}
			return stage.Answer{
				Status: 201, Body: obj{"data": obj{"dm_conversation_id": a.Config().ID + "-" + to, "dm_event_id": id}}, Message: m,
				Done: func() {
					a.People.Change(to, func(w *account.Person) { w.LastOut = id })
					p.told(a, m)
				},
			}
		}}
	})
}

func (p *Provider) delete(w http.ResponseWriter, r *http.Request, a *account.Account, id string) {
	p.Play(w, r, a, "delete", words{}, func() stage.Act {
		return stage.Act{Name: "delete", Kind: "delete", Do: func() stage.Answer {
			if _, ok := p.Ledger.Message(a, id); !ok {
				return refusal(404, "")
			}
			return stage.Answer{Status: 200, Body: obj{"data": obj{"deleted": true}}}
		}}
	})
}

// arrival is an upload under way.
type arrival struct {
	mu     sync.Mutex
	of     *account.Account
	mime   string
	total  int64
	pieces map[int][]byte
	asked  int // how often its processing was asked for
}

// upload plays the upload in pieces: begin, pieces, end, and for videos the question whether it is ready.
func (p *Provider) upload(w http.ResponseWriter, r *http.Request, a *account.Account, rest []string) {
	id, step := "", ""
	switch {
	case r.Method == "GET":
		id, step = r.URL.Query().Get("media_id"), "status"
	case len(rest) == 1:
		step = rest[0]
	case len(rest) == 2:
		id, step = rest[0], rest[1]
	}
	p.Play(w, r, a, "upload", words{}, func() stage.Act {
		var body []byte
		var data []byte
		segment := -1
		if step == "append" {
			r.Body = http.MaxBytesReader(w, r.Body, 8<<20)
			segment, _ = strconv.Atoi(r.FormValue("segment_index"))
			if f, _, err := r.FormFile("media"); err == nil {
				data, _ = io.ReadAll(f)
			}
		} else {
			body, _ = stage.Read(w, r, maxBody)
		}
		return stage.Act{Name: "upload", Kind: step, Do: func() stage.Answer {
			if step == "initialize" {
				return p.begin(a, body)
			}
			u, ok := p.open.Get(id)
			if !ok || u.of != a {
				return refusal(404, "")
			}
			u.mu.Lock()
			defer u.mu.Unlock()
			switch step {
			case "append":
				if len(data) == 0 {
					return refusal(400, "")
				}
				u.pieces[segment] = data
				return stage.Answer{Status: 200, Body: obj{"data": obj{"expires_at": p.Now().Unix() + 86400}}}
			case "finalize":
				return p.whole(id, u)
			case "status":
				u.asked++
				return stage.Answer{Status: 200, Body: obj{"data": obj{"id": id, "processing_info": obj{"state": "succeeded", "progress_percent": 100}}}}
			}
			return refusal(404, "")
		}}
	})
}

func (p *Provider) begin(a *account.Account, body []byte) stage.Answer {
	var in struct {
		Kind     string `json:"media_type"`
		Bytes    int64  `json:"total_bytes"`
		Category string `json:"media_category"`
	}
	largest := map[string]int64{"dm_image": 5 << 20, "dm_gif": 15 << 20, "dm_video": 512 << 20}
	if err := json.Unmarshal(body, &in); err != nil || in.Bytes <= 0 || in.Bytes > largest[in.Category] || in.Kind == "" {
		return refusal(400, "The media is not acceptable for direct messages.")
	}
	id := p.nextID()
	p.open.Add(id, &arrival{of: a, mime: in.Kind, total: in.Bytes, pieces: map[int][]byte{}})
	return stage.Answer{Status: 200, Body: obj{"data": obj{"id": id, "media_key": "5_" + id, "expires_after_secs": 86400}}}
}

// whole puts the pieces together. Videos are read for a moment before they can be sent.
func (p *Provider) whole(id string, u *arrival) stage.Answer {
	f := &media.File{Of: u.of, MIME: u.mime}
	for n := range len(u.pieces) {
		f.Data = append(f.Data, u.pieces[n]...)
	}
	if int64(len(f.Data)) != u.total {
		return refusal(400, "The pieces are not what was announced.")
	}
	if p.Files.File(u.of, id) == nil {
		p.Files.Put(id, f)
	}
	data := obj{"id": id, "media_key": "5_" + id}
	if slices.Contains([]string{"video/mp4", "video/quicktime"}, u.mime) {
		data["processing_info"] = obj{"state": "pending", "check_after_secs": 1}
	}
	return stage.Answer{Status: 200, Body: obj{"data": data}}
}
