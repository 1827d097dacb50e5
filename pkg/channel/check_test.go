package channel

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

var sample = Info{
	Title: "Sample",
	RuleSet: RuleSet{
		Send: SendRules{
			Types: []event.MessageType{event.Text, event.Image, event.Audio, event.InteractType, event.TemplateType, event.LocationType, event.ContactsType},
			Text:  Limit{Max: 10, Unit: Runes}, Split: 2, Caption: Limit{Max: 5, Unit: UTF16},
			Media: map[event.MessageType]MediaRule{
				event.Image: {MIME: []string{"image/png", "video/*"}, MaxBytes: 100, Caption: true},
				event.Audio: {MIME: []string{"audio/*"}, Voice: []string{"audio/ogg"}},
			},
			Interactive: map[string]InteractiveRule{
				"buttons": {
					Needs: []string{"body", "buttons"}, Takes: []string{"header"}, Choices: []string{"reply", "url", "web_app"},
					HeaderMedia: []event.MessageType{event.Image}, MaxItems: 2, MaxTitle: 3, MaxBody: 8, MaxID: 4, IDUnit: Bytes,
				},
				"list": {
					Needs: []string{"body", "button", "sections"}, Takes: []string{"section_title"}, Choices: []string{"reply"},
					MaxSections: 2, MaxSectionTitle: 4, MaxItems: 3,
				},
				"cards": {
					Needs: []string{"sections"}, Takes: []string{"section_title", "section_description"}, Choices: []string{"reply", "dial", "location", "calendar"},
					HeaderMedia: []event.MessageType{event.Image}, Cards: true, MinSections: 2, MaxSections: 3, MaxRows: 2, MaxSectionText: 5, MaxTitle: 4, TitleUnit: Bytes,
				},
				"titled": {Needs: []string{"body", "buttons"}, Takes: []string{"header"}, Choices: []string{"reply"}, HeaderMedia: []event.MessageType{event.Image}, Titled: true},
				"link":   {Needs: []string{"body", "url"}}, "flow": {Needs: []string{"body", "flow"}}, "earlier": {MaxItems: 1},
			},
			Template: &TemplateRule{
				Name: `^[a-z_]+$`, MaxName: 8, Language: `^[a-z]{2}$`, MaxCards: 2, Components: map[string][]string{
					"header": {"text", "image"}, "body": {"currency", "date_time", "limited_time_offer"}, "button:flow": {"action"}, "carousel": {},
				},
			},
			Contact: &ContactRule{Needs: []string{"name", "phones"}, MaxVCard: 4}, Groups: &GroupRule{People: `^[0-9]+$`, Refuses: []string{"web_app"}},
			Together: map[string][]string{"template": {}, "interactive": {"attachments"}},
			Signals:  []string{"typing_on"}, Attachments: 1,
		},
		Window: Window{Opens: map[string]Opening{ByMessage: {}}, Outside: []string{"template", "message_tag:HUMAN_AGENT"}},
	},
}

func sendOf(c event.Content) event.Outbound { return event.Outbound{Content: c} }

func say(s string) event.Outbound { return sendOf(event.Content{Type: event.Text, Text: s}) }

func picture(mime string, size int64, caption string) event.Outbound {
	return sendOf(event.Content{Type: event.Image, Text: caption, Attachments: []event.Attachment{{Type: event.Image, MIME: mime, Size: size}}})
}

func spoken(mime string) event.Outbound {
	return sendOf(event.Content{Type: event.Audio, Attachments: []event.Attachment{{Type: event.Audio, MIME: mime, Voice: true}}})
}

func ask(v event.Interactive) event.Outbound {
	return sendOf(event.Content{Type: event.InteractType, Interactive: &v})
}

func buttons(cs ...event.Choice) event.Outbound {
	return ask(event.Interactive{Kind: "buttons", Body: "choose", Buttons: cs})
}

func list(ss ...event.Section) event.Outbound {
	return ask(event.Interactive{Kind: "list", Body: "choose", Button: "open", Sections: ss})
}

func row(id string) event.Section {
	return event.Section{Title: "s", Rows: []event.Choice{{ID: id, Title: id}}}
}

func cards(ss ...event.Section) event.Outbound {
	return ask(event.Interactive{Kind: "cards", Sections: ss})
}

// onCard is a choice on the first of two cards.
func onCard(c event.Choice) event.Outbound {
	return cards(event.Section{Title: "s", Rows: []event.Choice{c}}, row("b"))
}

func template(cs ...event.Component) event.Outbound {
	return sendOf(event.Content{Type: event.TemplateType, Template: &event.Template{Name: "hi", Language: "en", Components: cs}})
}

func header(p event.Parameter) event.Outbound {
	return template(event.Component{Type: "header", Parameters: []event.Parameter{p}})
}

func bodyOf(p event.Parameter) event.Outbound {
	return template(event.Component{Type: "body", Parameters: []event.Parameter{p}})
}

func with(o event.Outbound, change func(*event.Outbound)) event.Outbound { change(&o); return o }

func late(o *event.Outbound) { o.WindowUntil = event.At(checkedAt.Add(-time.Second)) }

var checkedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// refusals is the table of what Check refuses: the code and the pointer of the first problem; both empty where there is none.
var refusals = []struct {
	name, code, pointer string
	msg                 event.Outbound
}{
	{"text fits", "", "", say("0123456789")},
	{"text is split", "", "", say(strings.Repeat("x", 20))},
	{"text too long even split", "text_too_long", "/text", say(strings.Repeat("x", 21))},
	{"nothing to say", "empty_message", "/text", say("")},
	{"white space alone", "empty_message", "/text", say(" \n\u200b\t")},
	{"unknown type", "type_not_supported", "/type", sendOf(event.Content{Type: event.Video, Text: "x"})},
	{"type without its part", "type_mismatch", "/type", sendOf(event.Content{Type: event.Image, Text: "x"})},
	{"markup", "part_not_supported", "/html", sendOf(event.Content{Type: event.Text, Text: "x", HTML: "<b>x</b>"})},
	{"subject", "subject_not_supported", "/subject", sendOf(event.Content{Type: event.Text, Text: "x", Subject: "s"})},
	{"reaction", "part_not_supported", "/reaction", sendOf(event.Content{Type: event.Text, Text: "x", Reaction: &event.Reaction{}})},
	{"quote", "reply_not_supported", "/reply_to", sendOf(event.Content{Type: event.Text, Text: "x", ReplyTo: &event.Quote{}})},
	{"parts that become messages of their own", "", "", sendOf(event.Content{Type: event.LocationType, Text: "x", Location: &event.Location{}})},
	{"template and text", "not_together", "/text", with(template(), func(o *event.Outbound) { o.Content.Text = "x" })},
	{"template and file", "not_together", "/attachments", with(template(), func(o *event.Outbound) { o.Content.Attachments = picture("image/png", 1, "").Content.Attachments })},
	{"interactive and location", "not_together", "/location", with(buttons(event.Choice{ID: "a", Title: "A"}), func(o *event.Outbound) { o.Content.Location = &event.Location{} })},
	{"two texts of one interactive message", "not_together", "/text", with(buttons(event.Choice{ID: "a", Title: "A"}), func(o *event.Outbound) { o.Content.Text = "x" })},
	{"a text is the body", "", "", with(ask(event.Interactive{Kind: "link", URL: "https://a.example"}), func(o *event.Outbound) { o.Content.Text = "x" })},

	{"image fits", "", "", picture("image/png; charset=x", 100, "12345")},
	{"wildcard", "", "", picture("video/mp4", 1, "")},
	{"caption counts in UTF-16", "text_too_long", "/text", picture("image/png", 1, "😀😀😀")},
	{"text beside what takes no caption", "", "", sendOf(event.Content{Type: event.Audio, Text: "123456", Attachments: []event.Attachment{{Type: event.Audio}}})},
	{"wrong media type", "media_type_not_supported", "/attachments/0/mime", picture("image/gif", 1, "")},
	{"media too large", "media_too_large", "/attachments/0/size", picture("image/png", 101, "")},
	{"wrong kind of file", "media_not_supported", "/attachments/0/type", sendOf(event.Content{Type: event.Image, Attachments: []event.Attachment{{Type: event.Sticker}}})},
	{"voice", "", "", spoken("audio/ogg; codecs=opus")},
	{"voice of another type", "media_type_not_supported", "/attachments/0/mime", spoken("audio/mpeg")},
	{"voice where there is none", "voice_not_supported", "/attachments/0/type", with(picture("image/png", 1, ""), func(o *event.Outbound) { o.Content.Attachments[0].Voice = true })},
	{"too many files", "too_many_attachments", "/attachments", sendOf(event.Content{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image}, {Type: event.Image}}})},

	{"buttons", "", "", buttons(event.Choice{ID: "a", Title: "A"}, event.Choice{Title: "B", URL: "https://b.example"})},
	{"unknown kind", "interactive_not_supported", "/interactive/kind", ask(event.Interactive{Kind: "dance", Body: "x"})},
	{"no body", "part_missing", "/interactive/body", ask(event.Interactive{Kind: "link", URL: "https://a.example"})},
	{"no choices", "part_missing", "/interactive/buttons", buttons()},
	{"no sections", "part_missing", "/interactive/sections", list()},
	{"empty section", "part_missing", "/interactive/sections/1/rows", list(row("a"), event.Section{Title: "s"})},
	{"section without title", "part_missing", "/interactive/sections/1/title", list(row("a"), event.Section{Rows: row("b").Rows})},
	{"title of a section", "text_too_long", "/interactive/sections/0/title", list(event.Section{Title: "12345", Rows: row("a").Rows})},
	{"too many sections", "too_many_sections", "/interactive/sections", list(row("a"), row("b"), row("c"))},
	{"description that is not shown", "part_not_taken", "/interactive/sections/0/rows/0/description", list(event.Section{Rows: []event.Choice{{ID: "a", Title: "a", Description: "d"}}})},
	{"footer that is not shown", "part_not_taken", "/interactive/footer", ask(event.Interactive{Kind: "link", Body: "x", URL: "https://a.example", Footer: "f"})},
	{"link without url", "part_missing", "/interactive/url", ask(event.Interactive{Kind: "link", Body: "x"})},
	{"link that is none", "bad_url", "/interactive/url", ask(event.Interactive{Kind: "link", Body: "x", URL: "shop"})},
	{"flow without itself", "part_missing", "/interactive/flow", ask(event.Interactive{Kind: "flow", Body: "x"})},
	{"flow without id", "part_missing", "/interactive/flow/id", ask(event.Interactive{Kind: "flow", Body: "x", Flow: &event.Flow{Token: "t"}})},
	{"too many choices", "too_many_choices", "/interactive", buttons(event.Choice{ID: "a", Title: "A"}, event.Choice{ID: "b", Title: "B"}, event.Choice{ID: "c", Title: "C"})},
	{"choice too long", "text_too_long", "/interactive/buttons/1/title", buttons(event.Choice{ID: "a", Title: "A"}, event.Choice{ID: "b", Title: "long"})},
	{"id too long in bytes", "text_too_long", "/interactive/buttons/0/id", buttons(event.Choice{ID: "äöü", Title: "A"})},
	{"choice without id", "part_missing", "/interactive/buttons/0/id", buttons(event.Choice{Title: "A"})},
	{"choice without title", "part_missing", "/interactive/buttons/0/title", buttons(event.Choice{ID: "a"})},
	{"choice of another kind", "choice_not_supported", "/interactive/buttons/0/kind", buttons(event.Choice{Kind: "text", Title: "A"})},
	{"web app without TLS", "bad_url", "/interactive/buttons/0/url", buttons(event.Choice{Kind: "web_app", Title: "A", URL: "http://a.example"})},
	{"reply with a page", "part_not_taken", "/interactive/buttons/0/url", buttons(event.Choice{Kind: "reply", ID: "a", Title: "A", URL: "https://a.example"})},
	{"two choices of one id", "duplicate_id", "/interactive/buttons/1/id", buttons(event.Choice{ID: "a", Title: "A"}, event.Choice{ID: "a", Title: "B"})},
	{"header of text and file", "not_together", "/interactive/header", with(buttons(event.Choice{ID: "a", Title: "A"}), func(o *event.Outbound) {
		o.Content.Interactive.Header, o.Content.Attachments = "h", picture("image/png", 1, "").Content.Attachments
	})},
	{"a title beside a picture", "", "", with(ask(event.Interactive{Kind: "titled", Header: "h", Body: "b", Buttons: row("a").Rows}), func(o *event.Outbound) {
		o.Content.Attachments = picture("image/png", 1, "").Content.Attachments
	})},
	{"cards", "", "", cards(row("a"), row("b"))},
	{"a card without choices", "", "", cards(row("a"), event.Section{Title: "s", Description: "12345"})},
	{"one card alone", "part_missing", "/interactive/sections", cards(row("a"))},
	{"too many choices on a card", "too_many_choices", "/interactive/sections/1/rows", cards(row("a"), event.Section{Title: "s", Rows: slices.Concat(row("b").Rows, row("c").Rows, row("d").Rows)})},
	{"the text of a card", "text_too_long", "/interactive/sections/1/description", cards(row("a"), event.Section{Title: "s", Description: "123456"})},
	{"text of a section that has none", "part_not_taken", "/interactive/sections/0/description", list(event.Section{Description: "d", Rows: row("a").Rows})},
	{"label too long in bytes", "text_too_long", "/interactive/sections/0/rows/0/title", cards(event.Section{Title: "s", Rows: []event.Choice{{ID: "a", Title: "全部"}}}, row("b"))},
	{"call", "", "", onCard(event.Choice{Kind: "dial", ID: "d", Title: "Call", Phone: "+4930123"})},
	{"call of nobody", "part_missing", "/interactive/sections/0/rows/0/phone", onCard(event.Choice{Kind: "dial", ID: "d", Title: "Call"})},
	{"call of no number", "bad_format", "/interactive/sections/0/rows/0/phone", onCard(event.Choice{Kind: "dial", ID: "d", Title: "Call", Phone: "030 123"})},
	{"reply with a number", "part_not_taken", "/interactive/sections/0/rows/0/phone", onCard(event.Choice{ID: "d", Title: "Call", Phone: "+4930123"})},
	{"place", "", "", onCard(event.Choice{Kind: "location", ID: "l", Title: "Map", Location: &event.Location{Latitude: 1, Longitude: 2}})},
	{"no place", "part_missing", "/interactive/sections/0/rows/0/location", onCard(event.Choice{Kind: "location", ID: "l", Title: "Map"})},
	{"appointment", "", "", onCard(event.Choice{Kind: "calendar", ID: "c", Title: "Note", Event: &event.CalendarEvent{Title: "t", Start: event.At(checkedAt), End: event.At(checkedAt.Add(time.Hour))}})},
	{"no appointment", "part_missing", "/interactive/sections/0/rows/0/event", onCard(event.Choice{Kind: "calendar", ID: "c", Title: "Note"})},
	{"appointment that ends before it begins", "out_of_range", "/interactive/sections/0/rows/0/event/end", onCard(event.Choice{Kind: "calendar", ID: "c", Title: "Note", Event: &event.CalendarEvent{
		Title: "t", Start: event.At(checkedAt), End: event.At(checkedAt.Add(-time.Hour)),
	}})},
	{"rules of an earlier version", "", "", ask(event.Interactive{Kind: "earlier", Buttons: []event.Choice{{}}, Footer: "f"})},

	{"template", "", "", header(event.Parameter{Type: "text", Text: "x"})},
	{"template's name", "template_name", "/template/name", with(template(), func(o *event.Outbound) { o.Content.Template.Name = "Hi there" })},
	{"template's language", "template_language", "/template/language", with(template(), func(o *event.Outbound) { o.Content.Template.Language = "English" })},
	{"unknown component", "template_component", "/template/components/0/type", template(event.Component{Type: "footer"})},
	{"unknown button", "template_component", "/template/components/0/sub_type", template(event.Component{Type: "button", SubType: "dance", Index: "0"})},
	{"button without index", "template_component", "/template/components/0/index", template(event.Component{Type: "button", SubType: "flow"})},
	{"kind of parameter", "template_parameter", "/template/components/0/parameters/0/type", header(event.Parameter{Type: "payload", Payload: "x"})},
	{"parameter without value", "template_parameter", "/template/components/0/parameters/0/text", header(event.Parameter{Type: "text"})},
	{"parameter with another value", "template_parameter", "/template/components/0/parameters/0/payload", header(event.Parameter{Type: "text", Text: "x", Payload: "x"})},
	{"picture without file", "template_parameter", "/template/components/0/parameters/0/attachment", header(event.Parameter{Type: "image"})},
	{"picture that is a document", "media_not_supported", "/template/components/0/parameters/0/attachment", header(event.Parameter{Type: "image", Attachment: &event.Attachment{Type: event.Document}})},
	{"picture too large", "media_too_large", "/template/components/0/parameters/0/attachment/size", header(event.Parameter{Type: "image", Attachment: &event.Attachment{Size: 101}})},
	{"currency", "template_parameter", "/template/components/0/parameters/0/currency", bodyOf(event.Parameter{Type: "currency", Currency: &event.Currency{Code: "euro", Fallback: "1 €"}})},
	{"time without text", "template_parameter", "/template/components/0/parameters/0/date_time/fallback_value", bodyOf(event.Parameter{Type: "date_time", DateTime: &event.DateTime{}})},
	{"offer without end", "template_parameter", "/template/components/0/parameters/0/limited_time_offer/expiration_time_ms", bodyOf(event.Parameter{Type: "limited_time_offer", Offer: &event.Offer{}})},
	{"carousel without cards", "template_component", "/template/components/0/cards", template(event.Component{Type: "carousel"})},
	{"cards of no carousel", "template_component", "/template/components/0/cards", template(event.Component{Type: "header", Cards: []event.TemplateCard{{}}})},
	{"carousel in a card", "template_component", "/template/components/0/cards/0/components/0/type", template(event.Component{Type: "carousel", Cards: []event.TemplateCard{
		{Components: []event.CardComponent{{Type: "carousel"}}},
	}})},

	{"buttons in a group", "not_in_groups", "/interactive/buttons/0/kind", with(buttons(event.Choice{Kind: "web_app", Title: "A", URL: "https://a.example"}), func(o *event.Outbound) { o.Peer = "-1" })},
	{"buttons of a person", "", "", with(buttons(event.Choice{Kind: "web_app", Title: "A", URL: "https://a.example"}), func(o *event.Outbound) { o.Peer = "1" })},
	{"card without number", "part_missing", "/contacts/0/phones", sendOf(event.Content{Type: event.ContactsType, Contacts: []event.Card{{Name: "n"}}})},
	{"card without name", "part_missing", "/contacts/0/name", sendOf(event.Content{Type: event.ContactsType, Contacts: []event.Card{{Phones: []string{"1"}}}})},
	{"card too long", "vcard_too_long", "/contacts/0/vcard", sendOf(event.Content{Type: event.ContactsType, Contacts: []event.Card{{Name: "n", Phones: []string{"1"}, VCard: "12345"}}})},

	{"signal", "", "", event.Outbound{Signal: "typing_on"}},
	{"unknown signal", "signal_not_supported", "/signal", event.Outbound{Signal: "dance"}},
	{"window closed", "window_closed", "", with(say("x"), late)},
	{"template outside the window", "", "", with(template(), late)},
	{"tag outside the window", "", "", with(say("x"), func(o *event.Outbound) { late(o); o.Content.MessageTag = "HUMAN_AGENT" })},
	{"other tag outside the window", "window_closed", "", with(say("x"), func(o *event.Outbound) { late(o); o.Content.MessageTag = "OTHER" })},
}

func TestP8_CheckRefusesWhatCannotSucceed(t *testing.T) {
	t.Parallel()
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := sample.For(nil).Check(c.msg, Told(c.msg, checkedAt))
			got := [2]string{}
			if err != nil {
				got = [2]string{fault.Of(err).Code, fault.Of(err).Pointer}
			}
			if diff := cmp.Diff([2]string{c.code, c.pointer}, got); diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

// Everything that is wrong is found at once, each with its own pointer.
func TestP8_ProblemsFindsAll(t *testing.T) {
	t.Parallel()
	msg := with(template(event.Component{Type: "footer"}), func(o *event.Outbound) {
		o.Content.Text, o.Content.Template.Name = "x", "A"
		late(o)
	})
	var got []string
	for _, p := range sample.For(nil).Problems(msg, Told(msg, checkedAt)) {
		got = append(got, p.Code+" "+p.Pointer)
	}
	want := []string{"not_together /text", "template_name /template/name", "template_component /template/components/0/type"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSegmentsAgreeWithPublishedCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 1, strings.Repeat("a", 160): 1, strings.Repeat("a", 161): 2, strings.Repeat("€", 80): 1, strings.Repeat("€", 81): 2,
		strings.Repeat("я", 70): 1, strings.Repeat("я", 71): 2, strings.Repeat("😀", 35): 1, strings.Repeat("😀", 67): 3,
	} {
		if got := Segments.Len(text); got != want {
			t.Errorf("%d × %.4q: %d segments, want %d", len([]rune(text)), text, got, want)
		}
	}
}

func TestSplitKeepsTheTextAndTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Max: rapid.IntRange(4, 40).Draw(t, "max"), Unit: rapid.SampledFrom([]Unit{Runes, Bytes, UTF16}).Draw(t, "unit")}
		text := rapid.String().Draw(t, "text")
		pieces := l.Split(text)
		if got := strings.Join(pieces, ""); got != text {
			t.Fatalf("the pieces are not the text: %q", pieces)
		}
		for _, p := range pieces {
			if l.Over(p) > 0 {
				t.Fatalf("%q is over %v", p, l)
			}
		}
	})
}

// A text is cut between what people see as characters, unless one alone is over the limit.
func TestSplitKeepsGraphemes(t *testing.T) {
	t.Parallel()
	const family, letter, flag = "👩‍👩‍👧‍👦", "e\u0301", "🇫🇷"
	for _, c := range []struct {
		text string
		l    Limit
		want []string
	}{
		{strings.Repeat(family, 3), Limit{30, Bytes}, []string{family, family, family}},
		{strings.Repeat(family, 3), Limit{60, Bytes}, []string{family + family, family}},
		{strings.Repeat(letter, 3), Limit{4, Bytes}, []string{letter, letter, letter}},
		{strings.Repeat(flag, 3), Limit{5, UTF16}, []string{flag, flag, flag}},
		{strings.Repeat(flag, 3), Limit{3, Runes}, []string{flag, flag, flag}},
		{family, Limit{10, Bytes}, []string{"👩\u200d", "👩\u200d", "👧\u200d", "👦"}},
	} {
		if got := c.l.Split(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q by %v: %q, want %q", c.text, c.l, got, c.want)
		}
	}
}
