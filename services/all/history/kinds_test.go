package history

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // WeChat's own scheme
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// kind is how people of a channel type write: their ids, their messages, and what proves a webhook.
type kind struct {
	peer    func(life, person int) string
	ref     func(peer string, n int) string // the provider's id of a person's nth message
	webhook func(l *life, peer string, refs []string) []byte
	sign    func(l *life, req *http.Request, body []byte)
	batch   bool // several messages in one webhook
}

// digits is a person's number: as on WhatsApp, and on channels whose people have no other.
func digits(life, person int) string { return fmt.Sprintf("4915%04d%04d", life, person) }

var kinds = map[string]kind{
	"whatsapp": {
		peer: digits, ref: func(peer string, n int) string { return fmt.Sprintf("wamid.%s.%d", peer, n) }, batch: true,
		webhook: func(l *life, peer string, refs []string) []byte {
			var messages []string
			for _, ref := range refs {
				messages = append(messages, fmt.Sprintf(`{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":"text %s"}}`, peer, ref, time.Now().Unix(), ref))
			}
			return l.entry(`"contacts":[{"profile":{"name":"P"},"wa_id":"` + peer + `"}],"messages":[` + strings.Join(messages, ",") + `]`)
		},
		sign: byMeta,
	},
	"telegram": {
		peer: func(life, person int) string { return fmt.Sprintf("55%04d%04d", life, person) },
		ref:  func(peer string, n int) string { return fmt.Sprintf("%s:%d", peer, n) },
		webhook: func(_ *life, peer string, refs []string) []byte {
			_, n, _ := strings.Cut(refs[0], ":")
			return fmt.Appendf(nil, `{"update_id":1%s%s,"message":{"message_id":%s,"chat":{"id":%s,"first_name":"P","type":"private"},"date":%d,"from":{"id":%s,"is_bot":false,"first_name":"P"},"text":"text %s"}}`,
				peer[4:], n, n, peer, time.Now().Unix(), peer, refs[0])
		},
		sign: func(_ *life, req *http.Request, _ []byte) {
			req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		},
	},
	"line": {
		peer: func(life, person int) string { return fmt.Sprintf("U%032x", life<<16|person) },
		ref:  func(peer string, n int) string { return fmt.Sprintf("9%s%04d", peer[len(peer)-8:], n) }, batch: true,
		webhook: func(l *life, peer string, refs []string) []byte {
			var events []string
			for _, ref := range refs {
				events = append(events, fmt.Sprintf(`{"type":"message","webhookEventId":"01%s","deliveryContext":{"isRedelivery":false},"timestamp":%d,"source":{"type":"user","userId":%q},"mode":"active","replyToken":%q,"message":{"type":"text","id":%q,"quoteToken":"q","text":"text %s"}}`,
					ref, time.Now().UnixMilli(), peer, peer+"/"+ref, ref, ref))
			}
			return fmt.Appendf(nil, `{"destination":%q,"events":[%s]}`, l.bot(), strings.Join(events, ","))
		},
		sign: func(_ *life, req *http.Request, body []byte) {
			req.Header.Set("X-Line-Signature", base64.StdEncoding.EncodeToString(sum(body)))
		},
	},
	"facebook": {
		peer: func(life, person int) string { return fmt.Sprintf("73%07d%07d", life, person) },
		ref:  func(peer string, n int) string { return fmt.Sprintf("m_%s_%d", peer, n) }, batch: true,
		webhook: func(l *life, peer string, refs []string) []byte { return ofMeta("page", l.page(), peer, refs) },
		sign:    byMeta,
	},
	"instagram": {
		peer: func(life, person int) string { return fmt.Sprintf("11%07d%07d", life, person) },
		ref:  func(peer string, n int) string { return fmt.Sprintf("aWdf%s%04d", peer, n) }, batch: true,
		webhook: func(l *life, peer string, refs []string) []byte { return ofMeta("instagram", l.account(), peer, refs) },
		sign:    byMeta,
	},
	"wechat": {
		peer: func(life, person int) string { return fmt.Sprintf("o6_history%07d_%07d", life, person) },
		ref: func(peer string, n int) string {
			return fmt.Sprintf("24%s%04d", strings.NewReplacer("o6_history", "", "_", "").Replace(peer), n)
		},
		webhook: func(l *life, peer string, refs []string) []byte {
			return fmt.Appendf(nil, `<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[text %s]]></Content><MsgId>%s</MsgId></xml>`,
				l.original(), peer, l.now().Unix(), refs[0], refs[0])
		},
		sign: func(l *life, req *http.Request, _ []byte) { // what WeChat's clock says must be near what the platform's says
			at := fmt.Sprint(l.now().Unix())
			parts := []string{secret, at, "4711"}
			slices.Sort(parts)
			sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // WeChat's own scheme
			req.URL.RawQuery = "timestamp=" + at + "&nonce=4711&signature=" + hex.EncodeToString(sum[:])
		},
	},
	"x": {
		peer: func(life, person int) string { return fmt.Sprintf("179%07d%07d", life, person) },
		ref:  func(peer string, n int) string { return fmt.Sprintf("%s%02d", peer, n) }, batch: true,
		webhook: func(l *life, peer string, refs []string) []byte {
			var events []string
			for _, ref := range refs {
				events = append(events, fmt.Sprintf(`{"type":"message_create","id":%q,"created_timestamp":"%d","message_create":{"target":{"recipient_id":%q},"sender_id":%q,"message_data":{"text":"text %s"}}}`,
					ref, time.Now().UnixMilli(), l.user(), peer, ref))
			}
			return fmt.Appendf(nil, `{"data":{"event_uuid":"1","filter":{"user_id":%q},"event_type":"dm.received","payload":{"direct_message_events":[%s]}}}`, l.user(), strings.Join(events, ","))
		},
		sign: func(_ *life, req *http.Request, body []byte) {
			req.Header.Set("X-Twitter-Webhooks-Signature", "sha256="+base64.StdEncoding.EncodeToString(sum(body)))
		},
	},
	// An agent on a platform of the GSMA (provider maap), whose pushes a bearer token proves.
	"rcs": {
		peer: func(life, person int) string { return "+" + digits(life, person) },
		ref:  func(peer string, n int) string { return fmt.Sprintf("Mx%s-%d", peer[1:], n) },
		webhook: func(_ *life, peer string, refs []string) []byte {
			return fmt.Appendf(nil, `{"event":"message","RCSMessage":{"msgId":%q,"timestamp":%q,"textMessage":"text %s"},"messageContact":{"userContact":%q}}`,
				refs[0], time.Now().UTC().Format(time.RFC3339Nano), refs[0], peer)
		},
		sign: func(_ *life, req *http.Request, _ []byte) { req.Header.Set("Authorization", "Bearer "+secret) },
	},
	// The web chat's people write over a session of their own (chat).
	"webchat": {peer: digits, ref: func(peer string, n int) string { return fmt.Sprintf("wamid.%s.%d", peer, n) }},
}

func sum(body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// ofMeta is a webhook of Messenger, or of Instagram.
func ofMeta(object, account, peer string, refs []string) []byte {
	var items []string
	for _, ref := range refs {
		items = append(items, fmt.Sprintf(`{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":%d,"message":{"mid":%q,"text":"text %s"}}`,
			peer, account, time.Now().UnixMilli(), ref, ref))
	}
	return fmt.Appendf(nil, `{"object":%q,"entry":[{"id":%q,"time":1,"messaging":[%s]}]}`, object, account, strings.Join(items, ","))
}

func byMeta(_ *life, req *http.Request, body []byte) {
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum(body)))
}

// original is the id of the life's WeChat account.
func (l *life) original() string { return fmt.Sprintf("gh_history%05d", l.n) }

// user is the id of the life's account on X.
func (l *life) user() string { return fmt.Sprintf("16500000%05d", l.n) }

// chatbot is the id of the life's RCS agent.
func (l *life) chatbot() string { return fmt.Sprintf("history-bot-%d", l.n) }

// page is the id of the life's Facebook Page.
func (l *life) page() string { return fmt.Sprintf("2048115%05d", l.n) }

// account is the id of the life's account on Instagram.
func (l *life) account() string { return fmt.Sprintf("178414%011d", l.n) }

// bot is the user id of the life's LINE account.
func (l *life) bot() string { return fmt.Sprintf("U%032x", 0xb0<<32|l.n) }
