package simulator_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/facebook"
	"github.com/tributaryhq/tributary/services/instagram"
	"github.com/tributaryhq/tributary/services/telegram"
)

// TestProvidersTakeAnything: whatever is sent to them, they answer in their own words and never break.
func TestProvidersTakeAnything(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.open(telegram.Adapter{}, event.Telegram, "/simulator/telegram", obj{"bot_username": "demo_bot"}, map[string]string{"bot_token": "7000001:AA-token"})
	w.open(facebook.Adapter{}, event.Facebook, "/simulator/facebook", obj{"page_id": pageID, "app_id": "1"}, map[string]string{"app_secret": "s", "page_access_token": "EAAG-page"})
	w.open(instagram.Adapter{}, event.Instagram, "/simulator/instagram", obj{"account_id": igAccount, "app_id": "1"}, map[string]string{"app_secret": "s", "access_token": "IGAA-account"})
	bodies := []string{"", "null", "[]", "1", `"x"`, "{", `{"to":{}}`, `{"messaging_product":"whatsapp","to":"491511234567","type":"interactive","interactive":{}}`,
		`{"messaging_product":"whatsapp","to":"491511234567","type":"image"}`, `{"messaging_product":"whatsapp","to":"491511234567","type":"text","text":null}`,
		`{"messaging_product":"whatsapp","status":"read"}`, `{"chat_id":{},"text":[1]}`, `{"chat_id":"+5","text":"x"}`, `{"chat_id":007,"text":"x"}`, `{"chat_id":1e3,"text":"x"}`,
		`{"chat_id":5,"media":[1,2]}`, `{"chat_id":5,"message_id":"x","reaction":{}}`, `{"chat_id":5,"latitude":"NaN","longitude":"Inf"}`, `{"chat_id":5,"text":"x","reply_markup":[]}`,
		`{"recipient":{"id":"7312094458812037"},"message":{"attachment":{"type":"template","payload":{"template_type":"media","elements":[{}]}}}}`,
		`{"recipient":{"comment_id":"1_2"},"message":{"text":"x"}}`, `{"recipient":{"id":"7312094458812037"},"sender_action":"react"}`, `{"recipient":5,"message":[]}`, `{"is_hidden":"x"}`,
		`{"chat_id":5,"photo":"attach://none"}`, `{"chat_id":"@","text":"x"}`, strings.Repeat("[", 100_000)}
	paths := []string{"/simulator/whatsapp", "/simulator/whatsapp/", "/simulator/whatsapp/v26.0", "/simulator/whatsapp/v26.0/109876543210987/messages",
		"/simulator/whatsapp/v26.0/109876543210987/media", "/simulator/whatsapp/v26.0/1/messages", "/simulator/whatsapp/v26.0/100200300400501/subscribed_apps",
		"/simulator/whatsapp/whatsapp_business/attachments/", "/simulator/360dialog/messages", "/simulator/telegram/", "/simulator/telegram/bot", "/simulator/telegram/file/bot7000001:AA-token/x"}
	for _, node := range []string{"", pageID + "/messages", pageID + "/message_attachments", pageID + "/subscribed_apps", pageID + "/take_thread_control", "1_2/comments", "1_2", "7312094458812037", "me/x"} {
		paths = append(paths, "/simulator/facebook/v26.0/"+node)
	}
	paths = append(paths, "/simulator/facebook/cdn/1/2", "/simulator/facebook", "/simulator/rcs-google/token", "/simulator/rcs-google/v1/phones/+1/agentMessages", "/simulator/rcs-maap/bot/messages",
		"/simulator/rcs-maap/files/1", "/simulator/rcs-cmcc/messaging/interaction/v1/outbound/x/requests", "/simulator/rcs-ctcu/bot/v1/x/accessToken", "/simulator/rcs-ctcu/bot/v1/x/messages",
		"/simulator/rcs-huawei/openchatbot/v2/x/outbound")
	for _, node := range []string{"", igAccount + "/messages", igAccount + "/subscribed_apps", igAccount + "/mentions", igAccount, "180/replies", "180/comments", "180", "me/x"} {
		paths = append(paths, "/simulator/instagram/v26.0/"+node)
	}
	paths = append(paths, "/simulator/instagram/cdn/1/2", "/simulator/instagram", "/simulator/instagram/refresh_access_token")
	for _, m := range []string{"sendMessage", "sendPhoto", "sendMediaGroup", "sendLocation", "sendContact", "setMessageReaction", "editMessageText", "deleteMessage",
		"setWebhook", "getWebhookInfo", "getFile", "getMe", "getChat", "sendChatAction", "answerCallbackQuery", "noSuchMethod", ""} {
		paths = append(paths, "/simulator/telegram/bot7000001:AA-token/"+m)
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			for _, kind := range []string{"application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"} {
				for _, body := range bodies {
					if status, said := raw(t, w, method, path, kind, body); status >= 500 || status == 0 {
						t.Fatalf("%s %s %s %.60q: %d %s", method, path, kind, body, status, said)
					}
				}
			}
		}
	}
}

func raw(t *testing.T, w *world, method, path, kind, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer EAAG-token")
	if strings.HasPrefix(path, "/simulator/facebook") {
		req.Header.Set("Authorization", "Bearer EAAG-page")
	}
	if strings.HasPrefix(path, "/simulator/instagram") {
		req.Header.Set("Authorization", "Bearer IGAA-account")
	}
	req.Header.Set("Content-Type", kind)
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s %.60q: %v", method, path, body, err)
	}
	defer func() { _ = resp.Body.Close() }()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, said
}
