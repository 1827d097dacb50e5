package channel

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
)

var (
	day   = Duration(24 * time.Hour)
	wrote = event.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	metas = Window{Opens: map[string]Opening{ByMessage: {For: day}, "call": {For: day}, ByFreeEntry: {For: 3 * day}}}
	// counting is a window like that of WeChat: a few messages in a long time, or in a short one after a click.
	counting = Window{Opens: map[string]Opening{ByMessage: {For: 2 * day, Count: 5}, "menu": {For: Duration(time.Minute), Count: 3}}}
)

func TestWhatAWindowAllows(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration) event.Time { return wrote.Add(d) }
	five, three, none := 5, 3, 0
	taken := func(kind string, n int) Anchor { return Anchor{Kind: kind, At: wrote, Taken: []Taken{{By: "a", N: n}}} }
	at := func(kind string) Anchor { return Anchor{Kind: kind, At: wrote} }
	for name, c := range map[string]struct {
		window  Window
		anchors Anchors
		after   time.Duration
		want    WindowState
	}{
		"nothing opens it":              {Window{}, nil, 0, WindowState{}},
		"a message is needed":           {metas, nil, 0, WindowState{Closed: NeverOpened}},
		"a message":                     {metas, Anchors{at(ByMessage)}, time.Hour, WindowState{Until: after(24 * time.Hour)}},
		"the last moment":               {metas, Anchors{at(ByMessage)}, 24*time.Hour - time.Millisecond, WindowState{Until: after(24 * time.Hour)}},
		"over":                          {metas, Anchors{at(ByMessage)}, 24 * time.Hour, WindowState{Closed: Expired, Until: after(24 * time.Hour)}},
		"an ad lasts longer":            {metas, Anchors{at(ByMessage), at(ByFreeEntry)}, 48 * time.Hour, WindowState{Until: after(72 * time.Hour)}},
		"an ad that is over":            {metas, Anchors{at(ByFreeEntry), at(ByMessage)}, 73 * time.Hour, WindowState{Closed: Expired, Until: after(72 * time.Hour)}},
		"the end alone is known":        {metas, Anchors{{Kind: ByFreeEntry, Until: after(time.Hour)}}, 0, WindowState{Until: after(time.Hour)}},
		"no rule for it":                {metas, Anchors{at("menu")}, 0, WindowState{Closed: NeverOpened}},
		"once and for all":              {Window{Opens: map[string]Opening{ByMessage: {}}}, Anchors{at(ByMessage)}, 1000 * time.Hour, WindowState{}},
		"once and for all, not yet":     {Window{Opens: map[string]Opening{ByMessage: {}}}, nil, 0, WindowState{Closed: NeverOpened}},
		"counted":                       {counting, Anchors{at(ByMessage)}, 0, WindowState{Until: after(48 * time.Hour), Left: &five}},
		"counted, some taken":           {counting, Anchors{taken(ByMessage, 2)}, 0, WindowState{Until: after(48 * time.Hour), Left: &three}},
		"counted, all taken":            {counting, Anchors{taken(ByMessage, 5)}, 0, WindowState{Closed: UsedUp, Until: after(48 * time.Hour), Left: &none}},
		"counted, all taken and over":   {counting, Anchors{taken(ByMessage, 5)}, 48 * time.Hour, WindowState{Closed: Expired, Until: after(48 * time.Hour)}},
		"two that count":                {counting, Anchors{taken(ByMessage, 5), at("menu")}, 0, WindowState{Until: after(48 * time.Hour), Left: &three}},
		"the short one is over":         {counting, Anchors{at("menu"), at(ByMessage)}, time.Minute, WindowState{Until: after(48 * time.Hour), Left: &five}},
		"more taken than a newer count": {counting, Anchors{taken("menu", 9)}, 0, WindowState{Closed: UsedUp, Until: after(time.Minute), Left: &none}},
	} {
		if diff := cmp.Diff(c.want, c.window.State(c.anchors, wrote.Time.Add(c.after))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// TestWhatAMessageIsTold holds what a message on its way knows of the window to what the window says.
func TestWhatAMessageIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		window  Window
		anchors Anchors
		after   time.Duration
		want    string
	}{
		"nothing opens it": {Window{}, nil, time.Hour, ""},
		"never opened":     {metas, nil, time.Hour, NeverOpened},
		"open":             {metas, Anchors{{Kind: ByMessage, At: wrote}}, time.Hour, ""},
		"over meanwhile":   {metas, Anchors{{Kind: ByMessage, At: wrote}}, 25 * time.Hour, Expired},
	} {
		msg := event.Outbound{WindowUntil: c.window.State(c.anchors, wrote.Time).End()}
		if got := Told(msg, wrote.Time.Add(c.after)); got.Closed != c.want {
			t.Errorf("%s: closed because %q, want %q", name, got.Closed, c.want)
		}
	}
	if got := Told(event.Outbound{ReplyHandle: "token", Resume: &event.Resume{Skip: []int{0, 1}}}, wrote.Time).Needs(4); got != 1 {
		t.Errorf("four messages, two of which have arrived and one is an answer, need %d places", got)
	}
}

// TestP8_NoMoreIsTakenThanAWindowAllows plays attempts, outcomes and the customer's writing in any order against a provider that counts
// for itself (docs/models/windows.pml, W1 and W2).
func TestP8_NoMoreIsTakenThanAWindowAllows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		window := Window{Opens: map[string]Opening{ByMessage: {For: 2 * day, Count: rapid.IntRange(1, 5).Draw(t, "count")}}}
		now, counted := wrote.Time, 0
		anchors := Anchors{}.Open(Anchor{Kind: ByMessage, At: wrote})
		queued, attempts := map[string]int{}, 0
		t.Repeat(map[string]func(*rapid.T){
			"queue": func(t *rapid.T) {
				n := rapid.IntRange(1, 3).Draw(t, "messages")
				if s := window.State(anchors, now); s.Open() && s.Needs(n) <= *s.Left {
					attempts++
					by := strconv.Itoa(attempts)
					anchors, queued[by] = window.Take(anchors, now, by, n), n
				}
			},
			"settle": func(t *rapid.T) {
				for by, n := range queued {
					accepted := rapid.IntRange(0, n).Draw(t, "accepted")
					counted += accepted
					now = now.Add(time.Second)
					var changed bool
					if anchors, changed = anchors.Settle(by, accepted, event.At(now)); !changed && n > 0 {
						t.Fatalf("attempt %s has nothing", by)
					}
					if _, again := anchors.Settle(by, 0, event.At(now)); again {
						t.Fatalf("attempt %s was settled twice", by)
					}
					delete(queued, by)
					break
				}
			},
			"write": func(*rapid.T) {
				now, counted = now.Add(time.Second), 0
				anchors = anchors.Open(Anchor{Kind: ByMessage, At: event.At(now)})
				now = now.Add(time.Second)
			},
			"": func(t *rapid.T) {
				if most := window.Opens[ByMessage].Count; counted > most {
					t.Fatalf("the provider was asked for %d, and allows %d", counted, most)
				}
				left := *window.State(anchors, now).Left
				for _, n := range queued {
					left += n
				}
				if left+counted > window.Opens[ByMessage].Count {
					t.Fatalf("%d are left or under way after %d", left, counted)
				}
			},
		})
	})
}

// TestWindowsOfEarlierVersionsAreRead reads what services of earlier versions announce, and writes what they read.
func TestWindowsOfEarlierVersionsAreRead(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]Window{
		`{"kind":"none"}`:  {},
		`{}`:               {},
		`{"kind":"reply"}`: {Opens: map[string]Opening{ByMessage: {}}},
		`{"kind":"inbound","for":"24h0m0s","free_entry":"72h0m0s","outside":["template"]}`:                                   {Opens: metas.Opens, Outside: []string{"template"}},
		`{"kind":"inbound","for":"48h0m0s","opens":{"message":{"for":"48h0m0s","count":5},"menu":{"for":"1m0s","count":3}}}`: counting,
	} {
		var got Window
		if err := json.Unmarshal([]byte(written), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", written, diff)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var before, after struct {
			Kind      string
			For       string
			FreeEntry string `json:"free_entry"`
			Outside   []string
		}
		if json.Unmarshal([]byte(written), &before) != nil || json.Unmarshal(b, &after) != nil {
			t.Fatal(written, string(b))
		}
		if before.Kind == "" {
			before.Kind = "none"
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("an earlier version reads %s otherwise: (-was +is)\n%s", b, diff)
		}
	}
}
