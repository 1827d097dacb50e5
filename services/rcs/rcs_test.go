package rcs

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
	"github.com/tributaryhq/tributary/pkg/event"
)

// How each platform proves its pushes. None of the proofs covers every byte of a body.
var proofs = []channeltest.Option{
	channeltest.Proof{Header: googleSignature, Loose: true, Sign: func(ch channel.Keyed, in channel.Inbound) string {
		var p googlePush
		if json.Unmarshal(in.Body, &p) != nil || p.Message == nil {
			return "none"
		}
		data, _ := base64.StdEncoding.DecodeString(p.Message.Data)
		mac := hmac.New(sha512.New, []byte(ch.Secrets.Current("client_token")))
		mac.Write(data)
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}},
	channeltest.Proof{Header: "signature", Loose: true, Sign: func(ch channel.Keyed, in channel.Inbound) string {
		return ctcuSignature(ch.Secrets.Current("token"), in.Header.Get("timestamp"), in.Header.Get("nonce"))
	}},
	channeltest.Proof{Header: "Authorization", Loose: true, Sign: func(ch channel.Keyed, in channel.Inbound) string {
		return cmccCredentials(ch.Settings.Text("app_id"), ch.Secrets.Current("password"), in.Header.Get("Date"))
	}},
	channeltest.Proof{Header: "Authorization"}, // a password or a bearer token
	channeltest.Proof{Query: "secret"},
	channeltest.Wrapped(func(ch channel.Keyed, in channel.Inbound) (channel.Inbound, bool) {
		if ch.Settings.Text("provider") != byGoogle && ch.Settings.Text("provider") != "" {
			return in, false
		}
		in.Body = pushed(in.Body)
		return in, true
	}),
}

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}, proofs...) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}, proofs...) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}, proofs...) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}, proofs...) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "google_text", proofs...) }

// BenchmarkXML is the costliest kind of push.
func BenchmarkXML(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "cmcc_text", proofs...) }

// Worked signatures of all platforms.
func TestSignatures(t *testing.T) {
	t.Parallel()
	if got := ctcuSignature("ctTok-5G-2026invented", "1789463400", "5d0f7f86-0000-4c12-8d5a-000000000001"); got != "0a5f6154f9d1e0aa1d4c7ee4dd26a0673512a5e7b6ef4b70d6aafb5917ea3e29" {
		t.Errorf("China Telecom and China Unicom: %s", got)
	}
	const date = "Tue, 15 Sep 2026 09:10:31 GMT"
	if got := cmccCredentials("cmAppInvented", "s3cretInvented", date); got != "Basic Y21BcHBJbnZlbnRlZDo0MTExY2IxN2FhMGI5NDBhNTExMjM2Yjg0Yjk4NzhiYzk1MTY4NGNjZjMyODVkY2FjNGFmNjVlYjhkZmUyOTc0" {
		t.Errorf("China Mobile: %s", got)
	}
	if got := httpDate(time.Date(2026, 9, 15, 9, 10, 31, 0, time.UTC)); got != date {
		t.Errorf("the header Date: %s", got)
	}
	body := []byte(`{"message":{"data":"eyJzZW5kZXJQaG9uZU51bWJlciI6IisxNDE1NTU1MDE0MiIsIm1lc3NhZ2VJZCI6Ik14SW52ZW50ZWQwMDAxIiwic2VuZFRpbWUiOiIyMDI2LTA5LTE1VDA5OjEwOjMxLjEyMFoiLCJ0ZXh0IjoiV2hlcmUgaXMgb3JkZXIgMTAwODY/IPCfmIAiLCJhZ2VudElkIjoiYWNtZV9zdXBwb3J0X3ExdzJlM3I0X2FnZW50QHJibS5nb29nIn0="}}`)
	in := channel.Inbound{Method: "POST", Body: body, Header: channel.Header{}}
	in.Header.Set(googleSignature, "vv0vCzCtZRJELl92+rYbfglKYQzGFUkP/Izhol/1izzp0TwX+czQL8mJo3uDaX5/sxDIVeyDXPtMRYL7Qt017Q==")
	ch := channel.Keyed{Secrets: channel.Secrets{"client_token": {"clientTok-9f1c77e2-invented"}}}
	if err := (google{}).verify(ch, in); err != nil {
		t.Errorf("Google: %v", err)
	}
}

// keyed reads a channel of testdata.
func keyed(t *testing.T, name string) (ch channel.Keyed) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &ch); err != nil {
		t.Fatal(err)
	}
	return ch
}

// The assertion of a service account holds under its public key, and says what Google wants to know for an hour.
func TestAssertion(t *testing.T) {
	t.Parallel()
	ch := keyed(t, "channel.json")
	at := time.Unix(1789463432, 0)
	req, err := google{}.token(ch, at, "")
	if err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		t.Fatal(err)
	}
	part := strings.Split(form.Get("assertion"), ".")
	if len(part) != 3 || req.URL != googleToken {
		t.Fatalf("%s %q", req.URL, part)
	}
	var a account
	if err := json.Unmarshal([]byte(ch.Secrets.Current("service_account")), &a); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(a.Key))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
	sig, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil || rsa.VerifyPKCS1v15(&key.(*rsa.PrivateKey).PublicKey, crypto.SHA256, sum[:], sig) != nil {
		t.Errorf("the signature does not hold: %v", err)
	}
	claims, _ := base64.RawURLEncoding.DecodeString(part[1])
	want := fmt.Sprintf(`{"iss":%q,"scope":%q,"aud":%q,"iat":1789463432,"exp":1789467032}`, a.Email, googleScope, googleToken)
	if string(claims) != want {
		t.Errorf("claims %s, want %s", claims, want)
	}
	for name, broken := range map[string]string{"no JSON": "x", "no key": `{"client_email":"a@b"}`, "another key": `{"client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`} {
		ch.Secrets["service_account"] = []string{broken}
		if _, err := (google{}).token(ch, at, ""); err == nil {
			t.Errorf("a service account with %s is taken", name)
		}
	}
}

// Only platforms with short-lived tokens are asked for one.
func TestWhoNeedsATokenIsAskedForOne(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"": true, "maap.": false, "cmcc.": false, "ctcu.": true, "huawei.": false} {
		req, err := Adapter{}.TokenRequest(keyed(t, "channel."+name+"json"), time.Unix(1789463432, 0), channeltest.Nonce)
		if err != nil || (req.URL != "") != want {
			t.Errorf("%s: %s %v", name, req.URL, err)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"+8613800138000": "+8613800138000", "tel:+8613800138000": "+8613800138000", "TEL: +86 138 0013 8000": "+8613800138000",
		"sip:+8613800138000@hn.ims.mnc000.mcc460.3gppnetwork.org": "+8613800138000", "sip:+8613800138000;user=phone@x": "+8613800138000",
		"": "", "+": "", "tel:": "", "8613800138000": "", "sip:abc@x": "", "+12345678901234567": "", "+49-151": "",
	} {
		if got := number(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestGeo(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]*event.Location{
		"geo:50.7311865,7.0914591;crs=gcj02;u=10;rcs-l=Qingfeng%20Steamed": {Latitude: 50.7311865, Longitude: 7.0914591, CRS: "GCJ-02", Name: "Qingfeng Steamed"},
		"geo:1,2":                       {Latitude: 1, Longitude: 2},
		"geo: 1 , 2 ;rcs-l=raw words":   {Latitude: 1, Longitude: 2, Name: "raw words"},
		"geo:1,2,3;crs=wgs84;rcs-l=%zz": {Latitude: 1, Longitude: 2, Name: "%zz"},
		"geo:91,0":                      nil, "geo:x,y": nil, "geo:": nil, "geo:NaN,1": nil, "a geo:1,2": nil,
	} {
		c := gsmaText(in)
		switch {
		case want == nil && (c == nil || c.Type != event.Text):
			t.Errorf("%q is %+v, want a text", in, c)
		case want != nil && (c == nil || c.Location == nil || *c.Location != *want):
			t.Errorf("%q is %+v, want %+v", in, c, want)
		}
	}
}

// A place that goes out comes back as it was.
func TestPlacesComeBack(t *testing.T) {
	t.Parallel()
	want := event.Location{Latitude: -33.8688, Longitude: 151.2093, Name: "Sydney; 悉尼 100%", CRS: "GCJ-02"}
	if c := gsmaText(geoText(want)); c == nil || c.Location == nil || *c.Location != want {
		t.Errorf("%s is %+v", geoText(want), c)
	}
}

// A platform that lets pushes pass without a proof gets at least pushes.
func TestUnprovenPushesAreAtLeastPushes(t *testing.T) {
	t.Parallel()
	ch := keyed(t, "channel.maap.json")
	ch.Settings["verification"] = "none"
	for body, want := range map[string]bool{`{"event":"message"}`: true, `{}`: false, `[]`: false, ``: false, `{"event":""}`: false} {
		in := channel.Inbound{Method: "POST", Body: []byte(body), Header: channel.Header{}}
		if err := (Adapter{}).Verify(ch, in); (err == nil) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// What was refused once is refused for the same reason on every platform: the words of this channel are few.
func TestEveryRefusalHasAWord(t *testing.T) {
	t.Parallel()
	for _, classes := range []map[string]class{ctcuCodes, googleStatuses} {
		for code, c := range classes {
			if c.code == "" || c.kind.String() == "internal" {
				t.Errorf("%s: %+v", code, c)
			}
		}
	}
}
