package rcs

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

// What the GSMA defines, and all platforms but Google's speak.

type gsmaTap struct {
	Label    string `json:"displayText"`
	Postback struct {
		Data string `json:"data"`
	} `json:"postback"`
}

type gsmaSuggested struct {
	Reply  *gsmaTap `json:"reply"`
	Action *gsmaTap `json:"action"`
}

type gsmaChips struct {
	Suggestions []gsmaSuggested `json:"suggestions"`
}

type gsmaContent struct {
	Media *struct {
		URL string `json:"mediaUrl"`
	} `json:"media"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Suggestions []gsmaSuggested `json:"suggestions"`
}

type gsmaCards struct {
	Message struct {
		Card *struct {
			Content gsmaContent `json:"content"`
		} `json:"generalPurposeCard"`
		Carousel *struct {
			Content []gsmaContent `json:"content"`
		} `json:"generalPurposeCardCarousel"`
	} `json:"message"`
}

// choices are what can be tapped; bytes says that labels are counted so.
func gsmaChoices(all []gsmaSuggested, most int, bytes bool) (out []account.Choice, bad string) {
	if len(all) > most {
		bad = "there are too many suggestions"
	}
	for _, s := range all {
		tap, prefix := s.Reply, ""
		if tap == nil {
			tap, prefix = s.Action, "action:"
		}
		if tap == nil || tap.Label == "" || bytes && len(tap.Label) > 25 || len([]rune(tap.Label)) > 25 || len(tap.Postback.Data) > 2048 {
			return out, "a suggestion is not as documented"
		}
		out = append(out, account.Choice{ID: prefix + tap.Postback.Data, Title: tap.Label})
	}
	return out, bad
}

// cards reads cards into a message.
func (s *sending) cards(c gsmaCards, bytes bool) {
	var all []gsmaContent
	switch {
	case c.Message.Card != nil:
		s.kind, all = "card", []gsmaContent{c.Message.Card.Content}
	case c.Message.Carousel != nil:
		s.kind, all = "carousel", c.Message.Carousel.Content
		if n := len(all); n < 2 || n > 10 {
			s.bad = "a carousel has 2 to 10 cards"
		}
	default:
		s.bad = "there are no cards"
	}
	for _, one := range all {
		s.text = strings.TrimSpace(strings.Join([]string{s.text, one.Title, one.Description}, "\n"))
		more, bad := gsmaChoices(one.Suggestions, 4, bytes)
		s.choices, s.bad = append(s.choices, more...), cmp.Or(s.bad, bad)
		if one.Media != nil {
			s.file = one.Media.URL
		}
	}
}

// content reads one content of a Chinese platform by its media type.
func (s *sending) content(kind, body string) {
	kind, _, _ = strings.Cut(kind, ";")
	var cards gsmaCards
	var chips gsmaChips
	switch {
	case kind == "text/plain":
		s.kind, s.text = "text", body
		if strings.HasPrefix(body, "geo:") {
			s.kind = "location"
		}
		if body == "" || len([]rune(body)) > 2000 {
			s.bad = "the text is empty or too long"
		}
	case strings.HasPrefix(kind, "application/vnd.gsma.rcs-ft-http"):
		s.kind = "file"
		s.file = between(body, `url="`, `"`)
		if s.file == "" {
			s.file = between(body, `"url":"`, `"`)
		}
	case strings.HasPrefix(kind, "application/vnd.gsma.botmessage") && json.Unmarshal([]byte(body), &cards) == nil:
		s.cards(cards, true)
	case strings.HasPrefix(kind, "application/vnd.gsma.botsuggestion") && json.Unmarshal([]byte(body), &chips) == nil:
		more, bad := gsmaChoices(chips.Suggestions, 11, true)
		s.choices, s.bad = append(s.choices, more...), cmp.Or(s.bad, bad)
	default:
		s.bad = "the content is not as documented"
	}
}

// parts reads a content, or the two halves of one with suggestions.
func (s *sending) parts(kind, body string) {
	limit, multi := strings.CutPrefix(kind, "multipart/mixed; boundary=")
	if !multi {
		s.content(kind, body)
		return
	}
	pieces := strings.Split(body, "--"+strings.Trim(limit, `"`))
	if len(pieces) != 4 || strings.TrimSpace(pieces[3]) != "--" {
		s.bad = "the parts are not as documented"
		return
	}
	for _, p := range pieces[1:3] {
		head, content, _ := strings.Cut(strings.ReplaceAll(p, "\r\n", "\n"), "\n\n")
		content = strings.TrimSuffix(content, "\n")
		if n, err := strconv.Atoi(strings.TrimSpace(line(head, "Content-Length:"))); err != nil || n != len(content) {
			s.bad = "the length of a part is another"
		}
		was := s.bad
		s.content(strings.TrimSpace(line(head, "Content-Type:")), content)
		s.bad = cmp.Or(was, s.bad)
	}
}

// line is what follows a name in a header.
func line(head, name string) string {
	for l := range strings.Lines(head) {
		if rest, ok := strings.CutPrefix(l, name); ok {
			return rest
		}
	}
	return ""
}

// between is what stands between two texts; empty if they do not.
func between(s, before, after string) string {
	_, s, ok := strings.Cut(s, before)
	s, _, end := strings.Cut(s, after)
	if !ok || !end {
		return ""
	}
	return s
}

// tap is a suggestion that was taken.
func tap(h happening) obj {
	one := obj{"displayText": h.text, "postback": obj{"data": h.data}}
	return obj{"response": obj{h.kind: one}}
}

// geo is a place as a text.
func geo(h happening) string {
	return "geo:" + strconv.FormatFloat(h.lat, 'f', -1, 64) + "," + strconv.FormatFloat(h.lon, 'f', -1, 64) + ";crs=gcj02;u=10;rcs-l=" + strings.ReplaceAll(h.label, " ", "%20")
}
