package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/golang-jwt/jwt/v5"
)

const identitySecret = "an identity secret of the tests: 32 characters and more"

// widget is a web chat channel and a browser that visits its demo page.
type widget struct {
	*test
	browser context.Context
}

// TestTheWidgetInABrowser drives the page as it is served, in Chromium: two tabs of a first visitor, a server that is
// killed while they speak, a logout, another person.
func TestTheWidgetInABrowser(t *testing.T) {
	t.Parallel()
	s := newScene(t, false)
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium in PATH: install it (Debian: apt-get install chromium) to drive the widget in a browser")
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	x := widget{test: s.test}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	browser, closeBrowser := chromedp.NewContext(allocated)
	t.Cleanup(closeBrowser)
	if _, err := chromedp.Run(browser, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	x.browser = browser
	var ch struct {
		ID string `json:"id"`
	}
	in := map[string]any{"type": "webchat", "name": "Shop", "secrets": map[string]string{"identity_secret": identitySecret}}
	x.do("POST", "/v1/channels", "webchat", in, &ch)
	x.channel = ch.ID
	first, second := x.open(), x.open()
	x.visit(first, second)
	x.revise(first, second)
	x.survive(first, second)
	x.handOver(first, second)
}

// visit is a first visit in two tabs at once.
func (x *widget) visit(first, second *tab) {
	x.Helper()
	first.say("one")
	second.say("two")
	x.eventually("both tabs show both messages", func() bool { return first.shows("one", "two") && second.shows("one", "two") })
	c := x.conversations(1)[0]
	x.answer(c, "hello you")
	x.eventually("both tabs show the answer", func() bool { return first.shows("hello you") && second.shows("hello you") })
}

// revise edits an answer and takes it back: both tabs show it so, and a page that is read anew as well.
func (x *widget) revise(first, second *tab) {
	x.Helper()
	c := x.conversations(1)[0]
	var m message
	x.do("POST", "/v1/conversations/"+c+"/messages", "price", map[string]string{"text": "It costs 10"}, &m)
	x.eventually("both tabs show it", func() bool { return first.shows("It costs 10") && second.shows("It costs 10") })
	x.eventually("the answer is sent", func() bool {
		var now message
		return x.call(x.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && len(now.ExternalIDs) == 1
	})
	x.do("POST", "/v1/messages/"+m.ID+"/edit", "price edit", map[string]string{"text": "It costs 12"}, nil)
	changed := func(tab *tab, now, was string) bool { return tab.shows(now) && count(tab.texts(), was) == 0 }
	x.eventually("both tabs show the edit", func() bool {
		return changed(first, "It costs 12", "It costs 10") && changed(second, "It costs 12", "It costs 10")
	})
	x.do("POST", "/v1/messages/"+m.ID+"/unsend", "price unsend", nil, nil)
	gone := "This message was deleted"
	x.eventually("both tabs show that it is gone", func() bool { return changed(first, gone, "It costs 12") && changed(second, gone, "It costs 12") })
	second.reload()
	x.eventually("a page that is read anew shows no more", func() bool { return changed(second, gone, "It costs 12") && second.shows("hello you") })
}

// survive kills the server while both tabs speak: nothing is lost, nothing doubled, everything in order.
func (x *widget) survive(first, second *tab) {
	x.Helper()
	c := x.conversations(1)[0]
	say := func(tabs ...*tab) (said []string) {
		for i := range 3 {
			for n, tab := range tabs {
				text := fmt.Sprintf("%d-%d-%d", len(x.texts(c)), n, i)
				tab.say(text)
				said = append(said, text)
			}
		}
		return said
	}
	said := say(first, second)
	x.kill("tributary")
	for i := range 2 {
		first.say(fmt.Sprintf("while it is down %d", i))
		said = append(said, fmt.Sprintf("while it is down %d", i))
	}
	second.reload() // what it has not sent is still there, but its page is not served
	if err := x.start(); err != nil {
		x.Fatal(err)
	}
	second.reload()
	x.eventually("everything has arrived", func() bool {
		got := x.texts(c)
		return !slices.ContainsFunc(said, func(text string) bool { return !slices.Contains(got, text) })
	})
	x.answer(c, "we are back")
	said = append(said, "one", "two", "hello you", "we are back")
	both := []*tab{first, second}
	defer func() {
		if x.Failed() {
			x.Logf("the inbox has %q", x.texts(c))
			for _, tab := range both {
				x.Logf("a tab shows %q, %s", tab.texts(), tab.state())
			}
		}
	}()
	for _, tab := range both {
		x.eventually("the tab shows everything", func() bool { return tab.shows(said...) })
	}
	for what, got := range map[string][]string{"the inbox": x.texts(c), "the first tab": first.texts(), "the second tab": second.texts()} {
		for _, text := range said {
			if n := count(got, text); n != 1 {
				x.Errorf("%s has %q %d times: %q", what, text, n, got)
			}
		}
		if mine := of(got, "while it is down"); !slices.IsSorted(mine) {
			x.Errorf("%s has another order: %q", what, mine)
		}
	}
}

// handOver is a logout, and two other people at that browser.
func (x *widget) handOver(first, second *tab) {
	x.Helper()
	c := x.conversations(1)[0]
	first.run(`window.tributary.logout()`)
	x.eventually("both tabs are empty", func() bool { return len(first.texts()) == 0 && len(second.texts()) == 0 })
	x.answer(c, "SECRET of the first visitor")
	first.say("I am another")
	x.eventually("there is a second conversation", func() bool { return len(x.list()) == 2 })
	first.run(fmt.Sprintf(`window.tributary.identify(%q)`, x.proof("alice")))
	first.say("I am Alice")
	alice := ""
	x.eventually("Alice has spoken", func() bool {
		for _, c := range x.list() {
			if slices.Contains(x.texts(c), "I am Alice") {
				alice = c
			}
		}
		return alice != ""
	})
	x.answer(alice, "SECRET of Alice")
	x.eventually("Alice reads it", func() bool { return first.shows("SECRET of Alice") })
	first.run(fmt.Sprintf(`window.tributary.identify(%q)`, x.proof("bob")))
	x.eventually("Bob sees nothing of it", func() bool { return len(first.texts()) == 0 })
	first.say("I am Bob")
	x.eventually("Bob has spoken", func() bool {
		return slices.ContainsFunc(x.list(), func(c string) bool { return slices.Contains(x.texts(c), "I am Bob") })
	})
	for _, tab := range []*tab{first, second} {
		if got := tab.texts(); slices.ContainsFunc(got, func(text string) bool { return strings.Contains(text, "SECRET") }) {
			x.Errorf("shown to another person: %q; first %q, second %q", got, first.texts(), second.texts())
		}
	}
}

// proof is a token as the page's server makes it.
func (x *widget) proof(who string) string {
	now := time.Now()
	claims := jwt.MapClaims{"aud": x.channel, "sub": who, "name": who, "iat": now.Unix(), "exp": now.Add(4 * time.Minute).Unix()}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(identitySecret))
	if err != nil {
		x.Fatal(err)
	}
	return token
}

func (x *widget) list() (ids []string) {
	var list page[conversation]
	if x.call(x.Context(), "GET", "/v1/conversations?view=all&limit=200", "", nil, &list) != nil {
		return nil
	}
	for _, c := range list.Data {
		ids = append(ids, c.ID)
	}
	return ids
}

func (x *widget) conversations(n int) []string {
	x.Helper()
	got := x.list()
	if len(got) != n {
		x.Fatalf("%d conversations, want %d", len(got), n)
	}
	return got
}

// texts are those of a conversation, in order.
func (x *widget) texts(conversation string) (texts []string) {
	var list page[message]
	if x.call(x.Context(), "GET", "/v1/conversations/"+conversation+"/messages?limit=200", "", nil, &list) != nil {
		return nil
	}
	slices.SortFunc(list.Data, func(a, b message) int { return int(a.Seq - b.Seq) })
	for _, m := range list.Data {
		texts = append(texts, m.Text)
	}
	return texts
}

func (x *widget) answer(conversation, text string) {
	x.Helper()
	x.do("POST", "/v1/conversations/"+conversation+"/messages", text, map[string]string{"text": text}, nil)
}

// tab is a page of the business with the chat open.
type tab struct {
	x   *widget
	ctx context.Context
}

func (x *widget) open() *tab {
	x.Helper()
	ctx, cancel := chromedp.NewContext(x.browser)
	x.Cleanup(cancel)
	t := &tab{x, ctx}
	if _, err := chromedp.Run(ctx, chromedp.Navigate(x.url+"/chat/"+x.channel+"/demo")); err != nil {
		x.Fatal(err)
	}
	t.run(`window.tributary.open()`)
	return t
}

// reload loads the page again, if the server is there to give it.
func (t *tab) reload() {
	t.x.Helper()
	if _, err := chromedp.Run(t.ctx, chromedp.Navigate(t.x.url+"/chat/"+t.x.channel+"/demo")); err != nil {
		t.x.Logf("reload: %v", err)
		return
	}
	t.run(`window.tributary.open()`)
}

// run repeats a script of the page until it does not fail: what it needs may be loading.
func (t *tab) run(script string) {
	t.x.Helper()
	t.x.eventually(script, func() bool {
		_, err := chromedp.Run(t.ctx, chromedp.Evaluate[bool]("("+script+", true)"))
		return err == nil
	})
}

// say types a message and sends it.
func (t *tab) say(text string) {
	t.x.Helper()
	t.run(fmt.Sprintf(`(d => { const text = d.getElementById('text'); text.value = %q; text.dispatchEvent(new Event('input'));
		const send = d.getElementById('send')
		if (send.disabled) throw new Error('the chat is loading')
		send.click() })(document.querySelector('iframe').contentDocument)`, text))
}

// texts are those that the chat shows, in order.
func (t *tab) texts() []string {
	script := `[...document.querySelector('iframe').contentDocument.querySelectorAll('#log .bubble')].map(b => b.innerText)`
	texts, err := chromedp.Run(t.ctx, chromedp.Evaluate[[]string](script))
	if err != nil {
		return []string{"(" + err.Error() + ")"}
	}
	return texts
}

// state is what the chat says about its connection.
func (t *tab) state() string {
	state, err := chromedp.Run(t.ctx, chromedp.Evaluate[string](`document.querySelector('iframe').contentDocument.getElementById('state').textContent +
		document.querySelector('iframe').contentDocument.getElementById('alert').textContent`))
	return fmt.Sprint(state, err)
}

func (t *tab) shows(want ...string) bool {
	got := t.texts()
	return !slices.ContainsFunc(want, func(text string) bool { return !slices.Contains(got, text) })
}

func count(texts []string, text string) (n int) {
	for _, t := range texts {
		if t == text {
			n++
		}
	}
	return n
}

// of are the texts that begin with a text.
func of(texts []string, with string) (out []string) {
	for _, text := range texts {
		if strings.HasPrefix(text, with) {
			out = append(out, text)
		}
	}
	return out
}
