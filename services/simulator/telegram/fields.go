package telegram

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/services/simulator/stage"
)

const (
	mib      = 1 << 20
	maxFile  = 50 * mib // of an upload
	maxPhoto = 10 * mib
	maxForm  = 10*maxFile/4 + mib // an album in one call; more if one file may be larger
)

// fields are the parameters of a call, however they came: in the query, as JSON, as a form, with files.
type fields struct {
	values map[string]json.RawMessage
	files  map[string]upload
	body   json.RawMessage // what the ledger keeps: the values, and how large the files are
}

type upload struct {
	name, mime string
	data       []byte
}

var errTooLarge = errors.New("a file is too large")

// read reads a call whose files have as many bytes as largest at most.
func read(w http.ResponseWriter, r *http.Request, largest int) (f fields, err error) {
	f = fields{values: map[string]json.RawMessage{}, files: map[string]upload{}}
	for k, v := range r.URL.Query() {
		f.values[k] = raw(v[0])
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		err = f.form(w, r, largest)
	case "application/x-www-form-urlencoded":
		r.Body = http.MaxBytesReader(w, r.Body, mib)
		err = r.ParseForm()
		for k, v := range r.PostForm {
			f.values[k] = raw(v[0])
		}
	default:
		body, ok := stage.Read(w, r, mib)
		if !ok {
			return f, errTooLarge
		}
		if len(body) > 0 {
			err = json.Unmarshal(body, &f.values)
		}
		f.body = body
	}
	if len(f.body) == 0 || err != nil {
		f.body, _ = json.Marshal(f.values) // raw JSON: cannot fail
	}
	return f, err
}

func (f *fields) form(w http.ResponseWriter, r *http.Request, largest int) error {
	r.Body = http.MaxBytesReader(w, r.Body, int64(max(maxForm, largest+mib)))
	parts, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(io.LimitReader(part, int64(largest)+1))
		if err != nil || len(data) > largest {
			return errTooLarge
		}
		if part.FileName() == "" {
			f.values[part.FormName()] = raw(string(data))
			continue
		}
		f.files[part.FormName()] = upload{part.FileName(), part.Header.Get("Content-Type"), data}
	}
}

// raw is a form's value: JSON if it is an object or a list, else a text.
func raw(v string) json.RawMessage {
	if t := strings.TrimSpace(v); (strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[")) && json.Valid([]byte(t)) {
		return json.RawMessage(t)
	}
	b, _ := json.Marshal(v) // a text: cannot fail
	return b
}

// text is a value as text; numbers are written out.
func (f *fields) text(name string) string {
	v := f.values[name]
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

func (f *fields) into(name string, v any) bool {
	b := f.values[name]
	return len(b) > 0 && json.Unmarshal(b, v) == nil
}

func (f *fields) integer(name string) (int64, bool) {
	n, err := strconv.ParseInt(f.text(name), 10, 64)
	return n, err == nil
}

// degrees is an angle between -most and most.
func (f *fields) degrees(name string, most float64) (float64, bool) {
	n, err := strconv.ParseFloat(f.text(name), 64)
	return n, err == nil && n >= -most && n <= most
}

func (f *fields) runes(name string) int { return utf8.RuneCountInString(f.text(name)) }
