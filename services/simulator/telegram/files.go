package telegram

import (
	"crypto/rand"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/media"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// maxDownload is the largest file that a bot gets, unless its server is in local mode.
const maxDownload = 20 * mib

// workingDirectory is where a server in local mode says that it keeps files.
const workingDirectory = "/var/lib/telegram-bot-api/"

// folders are where Telegram keeps files, by kind.
var folders = map[string]string{"image": "photos", "photo": "photos", "video": "videos", "audio": "music", "voice": "voice", "sticker": "stickers", "animation": "animations"}

// keep gives a file an id as Telegram's look.
func (p *Provider) keep(f *media.File) (id string) {
	id = "AgACAgIAAxkBAAI" + rand.Text()
	p.Files.Put(id, f)
	return id
}

// described is a file as it stands in a message; a photo comes in sizes.
func described(id string, f *media.File) any {
	v := obj{"file_id": id, "file_unique_id": "AQAD" + id[len(id)-12:], "file_size": len(f.Data)}
	switch f.Kind {
	case "image", "photo":
		v["width"], v["height"] = 1280, 960
		return []obj{v}
	case "sticker":
		v["width"], v["height"], v["emoji"], v["is_animated"], v["is_video"], v["type"] = 512, 512, "👍", false, false, "regular"
		return v
	case "video", "animation":
		v["width"], v["height"], v["duration"] = 640, 480, 3
	case "audio", "voice":
		v["duration"] = 3
	}
	v["mime_type"] = f.MIME
	if f.Name != "" && f.Kind != "voice" {
		v["file_name"] = f.Name
	}
	return v
}

func (p *Provider) getFile(a *account.Account, f *fields) stage.Answer {
	id := f.text("file_id")
	file := p.Files.File(a, id)
	switch {
	case file == nil:
		return bad("wrong file_id or the file is temporarily unavailable")
	case tooLarge(a, file):
		return bad("file is too big")
	}
	folder := folders[file.Kind]
	if folder == "" {
		folder = "documents"
	}
	at := folder + "/" + id + path.Ext(file.Name)
	if c := a.Config(); own(c).local {
		at = workingDirectory + c.Key + "/" + at
	}
	return result(obj{"file_id": id, "file_unique_id": "AQAD" + id[len(id)-12:], "file_size": len(file.Data), "file_path": at})
}

func tooLarge(a *account.Account, f *media.File) bool {
	return len(f.Data) > maxDownload && !own(a.Config()).local
}

// download serves the bytes; their type is not told, as Telegram does it. For a server in local mode it is the web server before it.
func (p *Provider) download(w http.ResponseWriter, a *account.Account, where string) {
	id := strings.TrimSuffix(path.Base(where), path.Ext(where))
	f := p.Files.File(a, id)
	if f == nil || tooLarge(a, f) {
		stage.Write(w, refusal(404, "Not Found"))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Data)))
	_, _ = w.Write(f.Data)
}
