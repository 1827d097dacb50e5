package channeltest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// BadBodies are bodies that no provider sends, made to cost more than they weigh: what is compressed, entities that stand for more of
// themselves or for files, what is nested a hundred thousand times, ten thousand parts, other charsets.
func BadBodies() map[string][]byte {
	many := func(n int, part func(int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(part(i))
		}
		return b.String()
	}
	same := func(text string) func(int) string { return func(int) string { return text } }
	entities := `<!DOCTYPE xml [<!ENTITY e0 "aaaaaaaaaa">` +
		many(9, func(i int) string {
			return fmt.Sprintf(`<!ENTITY e%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&e%d;", i), 10))
		}) + "]>"
	out := map[string][]byte{
		"compressed":         zipped(bytes.Repeat([]byte(" "), 16<<20)),
		"compressed JSON":    zipped([]byte("[" + strings.Repeat("{},", 4<<20) + "{}]")),
		"XML bomb":           []byte(entities + `<xml><ToUserName>&e9;</ToUserName><Content>&e9;</Content></xml>`),
		"XML file":           []byte(`<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><ToUserName>&e;</ToUserName><Content>&e;</Content></xml>`),
		"XML parameter":      []byte(`<!DOCTYPE xml [<!ENTITY % e SYSTEM "http://127.0.0.1:1/x.dtd"> %e;]><xml><Content>x</Content></xml>`),
		"XML nested":         []byte("<xml>" + strings.Repeat("<a>", 100_000)),
		"XML elements":       []byte("<xml>" + strings.Repeat("<List><TemplateId>x</TemplateId></List>", 10_000) + "</xml>"),
		"XML attributes":     []byte("<xml" + many(10_000, func(i int) string { return fmt.Sprintf(` a%d="x"`, i) }) + "></xml>"),
		"XML in UTF-16":      wide(`<?xml version="1.0" encoding="UTF-16"?><xml><Content>x</Content></xml>`),
		"XML in GB2312":      []byte("<?xml version=\"1.0\" encoding=\"gb2312\"?><xml><Content>\xc4\xe3\xba\xc3</Content></xml>"),
		"JSON nested":        []byte(strings.Repeat(`{"a":[`, 100_000)),
		"JSON nested, whole": []byte(strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000)),
		"JSON keys":          []byte(`{"a":0` + many(10_000, func(i int) string { return fmt.Sprintf(`,"a%d":{}`, i) }) + "}"),
		"JSON in UTF-16":     wide(`{"object":"page","entry":[]}`),
		"JSON in Latin-1":    []byte("{\"object\":\"caf\xe9\",\"text\":\"\xc0\xaf\xed\xa0\x80\"}"),
		"form":               []byte(many(10_000, func(i int) string { return fmt.Sprintf("a%d=%%zz&", i) })),
		"multipart":          []byte(many(10_000, same("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n")) + "--b--"),
		"line ends":          []byte(strings.Repeat("\r\n", 100_000)),
		"zeros":              make([]byte, 100_000),
	}
	return out
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // into memory
	_ = w.Close()
	return out.Bytes()
}

// wide is a text in UTF-16 with its byte order mark.
func wide(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8)) //nolint:gosec // the low and the high byte
	}
	return out
}

// badHeader is what comes with such a body: that it is compressed is true of some.
func badHeader(name string) channel.Header {
	h := channel.Header{}
	if strings.HasPrefix(name, "compressed") {
		h.Set("Content-Encoding", "gzip")
	}
	if name == "multipart" {
		h.Set("Content-Type", "multipart/form-data; boundary=b")
	}
	return h
}

// What reading a call may allocate, in all, for each byte of its body and for each event that comes of it; what is read before anything is
// proved may allocate little.
const (
	perByte  = 64
	perEvent = 16 << 10
	perLook  = 16
	base     = 1 << 20
)

// bounded measures how much memory a call takes, whatever its body. The counters are the process's: nothing may run beside it, which is why
// it comes first.
func (r *runner) bounded(t *testing.T) {
	bad := BadBodies()
	for _, id := range slices.Sorted(maps.Keys(r.channels)) {
		ch := r.channels[id]
		for _, name := range slices.Sorted(maps.Keys(bad)) {
			in := channel.Inbound{Method: "POST", Header: badHeader(name), Body: bad[name], At: At}
			r.costs(t, id+"/"+name, ch, in)
			if r.wrap != nil {
				if in, ok := r.wrap(ch, in); ok {
					r.costs(t, id+"/"+name+", wrapped", ch, in)
				}
			}
		}
	}
	paths := map[string]bool{}
	for _, c := range r.load(t, "inbound") {
		in := c.request(t, r.proofs)
		for _, p := range lists(in.Body, paths) {
			r.looks(t, c, in, p)
			r.parts(t, c, in, p)
		}
	}
}

// costs reads a call without a panic, and within its bounds.
func (r *runner) costs(t *testing.T, name string, ch channel.Keyed, in channel.Inbound) {
	t.Helper()
	r.survives(t, ch, in)
	n := 0
	spent := allocated(func() {
		_ = r.adapter.Verify(ch, in)
		r.name(in)
		p, err := r.adapter.Parse(ch, in)
		if n = len(p.Events); err != nil && n > 0 {
			t.Errorf("%s: %d events and %v", name, n, err)
		}
	})
	if most := perByte*len(in.Body) + perEvent*n + base; spent > most {
		t.Errorf("%s: %d bytes were allocated for a body of %d and %d events, want at most %d", name, spent, len(in.Body), n, most)
	}
}

func (r *runner) name(in channel.Inbound) {
	if app, ok := r.adapter.(channel.AppLevel); ok {
		app.Named(in)
	}
}

// looks fills a list of a golden call up with empty elements: before a call is proved nothing may be made of each of them.
func (r *runner) looks(t *testing.T, c *golden, in channel.Inbound, at [2]int) {
	t.Helper()
	full := copied(in)
	full.Body = slices.Concat(in.Body[:at[0]], []byte("["+strings.Repeat("{},", 300_000)+"{}]"), in.Body[at[1]:])
	spent := allocated(func() {
		_ = r.adapter.Verify(c.ch, full)
		r.name(full)
	})
	if most := perLook*len(full.Body) + base; spent > most {
		t.Errorf("%s: %d bytes were allocated to see whom a body of %d is for, want at most %d", c.path, spent, len(full.Body), most)
	}
}

// longest bounds a call with many parts, in bytes: what grows faster than the call shows at this length, too.
const longest = 512 << 10

// parts repeats the elements of a list of a golden call, each with other texts, until there are ten thousand, or the call is long enough.
func (r *runner) parts(t *testing.T, c *golden, in channel.Inbound, at [2]int) {
	t.Helper()
	inner := bytes.TrimSpace(in.Body[at[0]+1 : at[1]-1])
	if len(inner) == 0 {
		return
	}
	n := max(min(10_000, longest/(len(inner)+1)), 2)
	ends := texts(inner, c.ch.Settings)
	var body bytes.Buffer
	body.Write(in.Body[:at[0]+1])
	for i := range n {
		if i > 0 {
			body.WriteByte(',')
		}
		from := 0
		for _, end := range ends {
			body.Write(inner[from:end])
			fmt.Fprint(&body, i)
			from = end
		}
		body.Write(inner[from:])
	}
	body.Write(in.Body[at[1]-1:])
	long := copied(in)
	long.Body = body.Bytes()
	r.costs(t, fmt.Sprintf("%s, %d parts", c.path, n), c.ch, long)
}

// texts returns where the texts end that elements of a list have, each by its path: those with a digit or a space, which are no words with
// a meaning, unless they are settings of the channel, such as its account.
func texts(elements []byte, of channel.Settings) (ends []int) {
	list := slices.Concat([]byte("["), elements, []byte("]"))
	for _, p := range leaves(list, map[string]bool{}) {
		text := list[p[0]:p[1]]
		own := slices.ContainsFunc(slices.Collect(maps.Keys(of)), func(key string) bool { return `"`+of.Text(key)+`"` == string(text) })
		if text[0] == '"' && bytes.ContainsAny(text, "0123456789 ") && !own {
			ends = append(ends, p[1]-2) // before the quotation mark, and without the bracket
		}
	}
	slices.Sort(ends)
	return ends
}

// allocated is how many bytes f allocates, freed ones included.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc) //nolint:gosec // of one call
}

// lists returns where the lists of a JSON body stand whose paths are not in seen yet.
func lists(body []byte, seen map[string]bool) (out [][2]int) {
	if !json.Valid(body) {
		return nil
	}
	for _, p := range leaves(body, seen) {
		if body[p[0]] == '[' {
			out = append(out, p)
		}
	}
	return out
}
