package rcs

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// What GSMA RCC.07 defines, and all platforms but Google's speak: cards, suggestions and the answers to them, files and places.

// The media types of what messages hold.
const (
	plainText    = "text/plain"
	botMessage   = "application/vnd.gsma.botmessage.v1.0+json"
	botChips     = "application/vnd.gsma.botsuggestion.v1.0+json"
	botResponse  = "application/vnd.gsma.botsuggestion.response.v1.0+json"
	botShared    = "application/vnd.gsma.botsharedclientdata.v1.0+json"
	fileTransfer = "application/vnd.gsma.rcs-ft-http"
	spamReport   = "application/vnd.gsma.rcsspam-report+xml"
)

// newUser is what a chatbot gets when somebody opens it for the first time.
const newUser = "new_bot_user_initiation"

type gsmaChips struct {
	Suggestions []gsmaSuggestion `json:"suggestions"`
}

type gsmaSuggestion struct {
	Reply  *gsmaReply  `json:"reply,omitempty"`
	Action *gsmaAction `json:"action,omitempty"`
}

type gsmaReply struct {
	Label    string       `json:"displayText"`
	Postback gsmaPostback `json:"postback"`
}

type gsmaPostback struct {
	Data string `json:"data"`
}

type gsmaAction struct {
	Label    string        `json:"displayText"`
	Postback gsmaPostback  `json:"postback"`
	URL      *gsmaURL      `json:"urlAction,omitempty"`
	Dialer   *gsmaDialer   `json:"dialerAction,omitempty"`
	Map      *gsmaMap      `json:"mapAction,omitempty"`
	Calendar *gsmaCalendar `json:"calendarAction,omitempty"`
}

type gsmaURL struct {
	Open struct {
		URL string `json:"url"`
	} `json:"openUrl"`
}

type gsmaDialer struct {
	Dial struct {
		Phone string `json:"phoneNumber"`
	} `json:"dialPhoneNumber"`
}

type gsmaMap struct {
	Show *gsmaShow `json:"showLocation,omitempty"`
	Push *struct{} `json:"requestLocationPush,omitempty"`
}

type gsmaShow struct {
	Location gsmaPlace `json:"location"`
}

type gsmaPlace struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Label     string  `json:"label,omitempty"`
}

type gsmaCalendar struct {
	Create gsmaEvent `json:"createCalendarEvent"`
}

type gsmaEvent struct {
	Start       string `json:"startTime"`
	End         string `json:"endTime"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// gsmaSuggestions draws suggestions.
func gsmaSuggestions(all []suggestion) (out []gsmaSuggestion) {
	for _, s := range all {
		back := gsmaPostback{s.Data}
		if s.Kind == "reply" {
			out = append(out, gsmaSuggestion{Reply: &gsmaReply{s.Label, back}})
			continue
		}
		a := &gsmaAction{Label: s.Label, Postback: back}
		switch s.Kind {
		case "url":
			a.URL = &gsmaURL{}
			a.URL.Open.URL = s.URL
		case "dial":
			a.Dialer = &gsmaDialer{}
			a.Dialer.Dial.Phone = s.Phone
		case "location":
			a.Map = &gsmaMap{Show: &gsmaShow{gsmaPlace{s.Place.Latitude, s.Place.Longitude, lines(s.Place.Name)}}}
		case "location_request":
			a.Map = &gsmaMap{Push: &struct{}{}}
		case "calendar":
			a.Calendar = &gsmaCalendar{gsmaEvent{moment(s.Event.Start), moment(s.Event.End), s.Event.Title, s.Event.Description}}
		}
		out = append(out, gsmaSuggestion{Action: a})
	}
	return out
}

// moment writes a time in whole seconds.
func moment(t event.Time) string { return t.UTC().Format(time.RFC3339) }

type gsmaCards struct {
	Message struct {
		Card     *gsmaCard     `json:"generalPurposeCard,omitempty"`
		Carousel *gsmaCarousel `json:"generalPurposeCardCarousel,omitempty"`
	} `json:"message"`
}

type gsmaCard struct {
	Layout  gsmaLayout  `json:"layout"`
	Content gsmaContent `json:"content"`
}

type gsmaCarousel struct {
	Layout  gsmaLayout    `json:"layout"`
	Content []gsmaContent `json:"content"`
}

type gsmaLayout struct {
	Orientation string `json:"cardOrientation,omitempty"`
	Width       string `json:"cardWidth,omitempty"`
}

type gsmaContent struct {
	Media       *gsmaMedia       `json:"media,omitempty"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Suggestions []gsmaSuggestion `json:"suggestions,omitempty"`
}

type gsmaMedia struct {
	URL       string `json:"mediaUrl"`
	MIME      string `json:"mediaContentType"`
	Size      int64  `json:"mediaFileSize"`
	Thumbnail string `json:"thumbnailUrl,omitempty"`
	ThumbMIME string `json:"thumbnailContentType,omitempty"`
	ThumbSize int64  `json:"thumbnailFileSize,omitempty"`
	Height    string `json:"height"`
}

// gsmaCardsOf draws one card, or several side by side. files are those of the cards that have one, in order.
func gsmaCardsOf(cards []card, files []stored) (out gsmaCards) {
	var contents []gsmaContent
	for _, c := range cards {
		one := gsmaContent{Title: c.Title, Description: c.Text, Suggestions: gsmaSuggestions(c.Suggestions)}
		if c.Media != nil && len(files) > 0 {
			f := files[0]
			files = files[1:]
			one.Media = &gsmaMedia{URL: f.URL, MIME: f.MIME, Size: f.Size, Height: "MEDIUM_HEIGHT"}
			if f.More != nil {
				one.Media.Thumbnail, one.Media.ThumbMIME, one.Media.ThumbSize = f.More.URL, f.More.MIME, f.More.Size
			}
		}
		contents = append(contents, one)
	}
	if len(contents) == 1 {
		out.Message.Card = &gsmaCard{gsmaLayout{Orientation: "VERTICAL"}, contents[0]}
	} else {
		out.Message.Carousel = &gsmaCarousel{gsmaLayout{Width: "MEDIUM_WIDTH"}, contents}
	}
	return out
}

// gsmaAnswer is a suggestion that was taken.
type gsmaAnswer struct {
	Response struct {
		Reply  *gsmaReply `json:"reply"`
		Action *gsmaReply `json:"action"`
	} `json:"response"`
}

// content is what was taken, and whether it is no message; nil for what is neither a reply nor an action.
func (a gsmaAnswer) content() (c *event.Content, tap bool) {
	switch r := a.Response; {
	case r.Reply != nil && r.Reply.Postback.Data == newUser:
		c = tapped(r.Reply.Label, newUser, true)
		c.Interaction.Kind = "command"
		return c, false
	case r.Reply != nil:
		return tapped(r.Reply.Label, r.Reply.Postback.Data, true), false
	case r.Action != nil:
		return tapped(r.Action.Label, r.Action.Postback.Data, false), true
	}
	return nil, false
}

// gsmaText reads what came as text/plain: a place, where it is one (geo:…, RFC 5870 with the GSMA's parameters), otherwise a text.
func gsmaText(s string) *event.Content {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(s), "geo:"); ok {
		if l := geo(rest); l != nil {
			return &event.Content{Type: event.LocationType, Location: l}
		}
	}
	return text(s)
}

// geo reads "lat,lon;crs=gcj02;u=10;rcs-l=label"; nil for what is no place.
func geo(s string) *event.Location {
	at, rest, _ := strings.Cut(s, ";")
	lat, lon, ok := strings.Cut(at, ",")
	if !ok {
		return nil
	}
	lon, _, _ = strings.Cut(lon, ",") // an altitude may follow
	l := place(lat, lon)
	if l == nil {
		return nil
	}
	for p := range strings.SplitSeq(rest, ";") {
		key, value, _ := strings.Cut(p, "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "crs":
			if crs := strings.ToLower(strings.TrimSpace(value)); crs == "gcj02" {
				l.CRS = "GCJ-02"
			} else if crs != "" && crs != "wgs84" {
				l.CRS = value
			}
		case "rcs-l":
			if label, err := url.PathUnescape(value); err == nil {
				value = valid(label)
			}
			l.Name = strings.TrimSpace(value)
		}
	}
	return l
}

// place reads coordinates; nil for what is none on earth.
func place(lat, lon string) *event.Location {
	a, err := strconv.ParseFloat(strings.TrimSpace(lat), 64)
	b, err2 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
	if err != nil || err2 != nil || !(a >= -90 && a <= 90 && b >= -180 && b <= 180) {
		return nil
	}
	return &event.Location{Latitude: a, Longitude: b}
}

// geoText writes a place as a text that phones show on a map.
func geoText(l event.Location) string {
	out := "geo:" + degrees(l.Latitude) + "," + degrees(l.Longitude)
	if strings.EqualFold(l.CRS, "GCJ-02") {
		out += ";crs=gcj02"
	}
	out += ";u=10"
	if label := lines(l.Name, l.Address); label != "" {
		out += ";rcs-l=" + url.PathEscape(strings.ReplaceAll(label, "\n", ", "))
	}
	return out
}

// ftFile is the body of a file message in XML (RCC.07, 4.1.15).
type ftFile struct {
	XMLName xml.Name `xml:"file"`
	NS      string   `xml:"xmlns,attr,omitempty"`
	Infos   []ftInfo `xml:"file-info"`
}

type ftInfo struct {
	Kind string `xml:"type,attr"` // file, thumbnail
	Size string `xml:"file-size"`
	Name string `xml:"file-name,omitempty"`
	MIME string `xml:"content-type"`
	Data struct {
		URL   string `xml:"url,attr"`
		Until string `xml:"until,attr,omitempty"`
	} `xml:"data"`
}

const ftSpace = "urn:gsma:params:xml:ns:rcs:rcs:fthttp"

// attachment is the file of a file message in XML; ok is false for what names none.
func (f ftFile) attachment() (a event.Attachment, ok bool) {
	for _, i := range f.Infos {
		if i.Kind == "thumbnail" || i.Data.URL == "" {
			continue
		}
		size, _ := strconv.ParseInt(strings.TrimSpace(i.Size), 10, 64) // what is no number is no size
		return event.Attachment{MIME: i.MIME, Name: i.Name, Size: max(size, 0), MediaRef: i.Data.URL}, true
	}
	return a, false
}

// ftBody writes the body of a file message.
func ftBody(f stored) string {
	out := ftFile{NS: ftSpace}
	add := func(kind string, s stored) {
		i := ftInfo{Kind: kind, Size: strconv.FormatInt(s.Size, 10), Name: s.Name, MIME: s.MIME}
		i.Data.URL, i.Data.Until = s.URL, s.Till
		out.Infos = append(out.Infos, i)
	}
	if f.More != nil {
		add("thumbnail", *f.More)
	}
	add("file", f)
	b, _ := xml.Marshal(out) // our own types: cannot fail
	return string(b)
}

// spam reads what a report of spam says.
func spam(body string) string {
	var r struct {
		Kind string `xml:"spam-type"`
		Text string `xml:"free-text"`
	}
	if xml.Unmarshal([]byte(body), &r) != nil {
		return ""
	}
	return lines(r.Kind, r.Text)
}

// shared is what a phone tells of itself when it was asked, as an answer that is no message.
func shared(raw json.RawMessage) *event.Content {
	var d struct {
		Shared *struct {
			Device json.RawMessage `json:"deviceSpecifics"`
		} `json:"sharedData"`
	}
	if json.Unmarshal(raw, &d) != nil || d.Shared == nil || len(d.Shared.Device) == 0 {
		return nil
	}
	return &event.Content{Type: event.InteractType, Interaction: &event.Interaction{Kind: "form", ID: "device_info", Data: d.Shared.Device}}
}
