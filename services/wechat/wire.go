package wechat

import (
	"encoding/xml"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// What WeChat posts. Every field is text, so that no value fails the rest; fields that nothing here reads are left out.

// envelope is a push as it comes: clear, encrypted, or (compatible mode) both.
type envelope struct {
	XMLName   xml.Name `xml:"xml"`
	Encrypted string   `xml:"Encrypt"`
}

func readEnvelope(body []byte) (e envelope, err error) {
	err = xml.Unmarshal(body, &e)
	return e, err
}

type push struct {
	XMLName   xml.Name `xml:"xml"`
	Encrypted string   `xml:"Encrypt"`      // of the whole push, which the channel has no key for
	To        string   `xml:"ToUserName"`   // the account, gh_…
	From      string   `xml:"FromUserName"` // the person's openid
	Created   stamp    `xml:"CreateTime"`   // seconds
	Type      string   `xml:"MsgType"`
	ID        string   `xml:"MsgId"`
	Article   string   `xml:"MsgDataId"` // of a message that answers an article

	Content string `xml:"Content"`
	Menu    string `xml:"bizmsgmenuid"` // the choice of a menu message that the text is
	Picture string `xml:"PicUrl"`
	Media   string `xml:"MediaId"`
	Format  string `xml:"Format"`      // of a voice message: amr, speex
	Heard   string `xml:"Recognition"` // what WeChat understood of it
	Poster  string `xml:"ThumbMediaId"`
	Lat     string `xml:"Location_X"`
	Lon     string `xml:"Location_Y"`
	Label   string `xml:"Label"`
	Title   string `xml:"Title"`
	About   string `xml:"Description"`
	URL     string `xml:"Url"`

	Event     string `xml:"Event"` // its case differs from kind to kind
	Key       string `xml:"EventKey"`
	Ticket    string `xml:"Ticket"`
	Latitude  string `xml:"Latitude"`
	Longitude string `xml:"Longitude"`
	Scan      struct {
		Kind   string `xml:"ScanType"`
		Result string `xml:"ScanResult"`
	} `xml:"ScanCodeInfo"`
	Sent    string `xml:"MsgID"` // of a template message, other than MsgId
	Status  string `xml:"Status"`
	Popup   []item `xml:"SubscribeMsgPopupEvent>List"`
	Changed []item `xml:"SubscribeMsgChangeEvent>List"`
	Told    []item `xml:"SubscribeMsgSentEvent>List"`
	Account string `xml:"KfAccount"`
	FromKf  string `xml:"FromKfAccount"`
	ToKf    string `xml:"ToKfAccount"`
}

// item is one template of an event about subscription messages.
type item struct {
	Template string `xml:"TemplateId"`
	Choice   string `xml:"SubscribeStatusString"` // accept, reject
	ID       string `xml:"MsgID"`
	Code     string `xml:"ErrorCode"`
	Words    string `xml:"ErrorStatus"`
}

// stamp is a moment in seconds, or in milliseconds where a proxy or an SDK made it so.
type stamp string

// Time reads the stamp as [channel.Stamp] does.
func (s stamp) Time() event.Time {
	n, err := strconv.ParseInt(string(s), 10, 64)
	if err != nil {
		n = 0
	}
	return channel.Stamp(n).Time()
}
