package admin

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

func TestEveryOperationAnswersAsDescribed(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	ch := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id")
	usr := w.call(ownerKey, "POST", "/v1/users", object{"name": "Ana", "email": "ana@example.com", "role": "agent"}).is(201).text("id")
	key := w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "k", "scopes": []string{"audit.read"}, "expires_at": "2100-01-01T00:00:00Z"}).is(201).text("id")
	unit := w.call(ownerKey, "POST", "/v1/organization-units", object{"name": "North"}).is(201).text("id")
	child := w.call(ownerKey, "POST", "/v1/organization-units", object{"name": "East", "parent_id": unit}).is(201)
	if path := child.object["path"].([]any); len(path) != 2 || path[0] != unit {
		t.Errorf("path %v", path)
	}
	w.call(ownerKey, "POST", "/v1/organization-units", object{"name": "East", "parent_id": "ou_none"}).is(422)
	for _, op := range []struct {
		method, path string
		body         any
		status       int
	}{
		{"POST", "/v1/auth/login", object{"email": ownerEmail, "password": ownerWord}, 200}, {"GET", "/v1/auth/me", nil, 200}, {"POST", "/v1/auth/logout", nil, 422},
		{"GET", "/v1/channel-types", nil, 200}, {"GET", "/v1/channels?type=telegram&limit=1", nil, 200}, {"GET", "/v1/channels/" + ch, nil, 200},
		{"PATCH", "/v1/channels/" + ch, object{"name": "b", "ou_id": unit}, 200}, {"GET", "/v1/channels/" + ch + "/webhook-log", nil, 200},
		{"GET", "/v1/api-keys", nil, 200}, {"DELETE", "/v1/api-keys/" + key, nil, 204}, {"GET", "/v1/users", nil, 200}, {"GET", "/v1/users/" + usr, nil, 200},
		{"PATCH", "/v1/users/" + usr, object{"name": "Anna", "avatar_url": "https://example.com/a.png"}, 200}, {"GET", "/v1/tenant-settings", nil, 200},
		{"PATCH", "/v1/tenant-settings", object{"space_name": "S"}, 200}, {"GET", "/v1/organization-units", nil, 200},
		{"GET", "/v1/audit-log", nil, 200}, {"GET", "/v1/audit-log/verification", nil, 200},
		{"POST", "/v1/channels/" + ch + "/test", nil, 307}, {"POST", "/v1/channels/" + ch + "/simulate", object{"body": object{}}, 307},
		{"POST", "/v1/channels/" + ch + "/replay", object{"partition": 0, "offset": 0}, 307}, {"DELETE", "/v1/channels/" + ch, nil, 204},
	} {
		w.call(ownerKey, op.method, op.path, op.body).is(op.status)
		if op.path != "/v1/auth/login" {
			w.call("", op.method, op.path, op.body).is(401, "unauthenticated")
		}
	}
	for path, item := range w.spec.Doc.Paths.Map() {
		for method := range item.Operations() {
			if !w.called[method+" "+path] {
				t.Errorf("%s %s was not called", method, path)
			}
		}
	}
}

func TestAnAccountIsClaimedOnceAcrossTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	two := toy("a")
	two["settings"].(object)["page"] = "p1"
	id := w.call(ownerKey, "POST", "/v1/channels", two).is(201).text("id")
	w.call(otherKey, "POST", "/v1/channels", toy("a")).is(409, "account_claimed")
	second := toy("b")
	second["settings"].(object)["page"] = "p1"
	w.call(otherKey, "POST", "/v1/channels", second).is(409, "account_claimed")
	w.call(otherKey, "POST", "/v1/channels", toy("b")).is(201) // the claim of the refused one was given back
	w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"settings": object{"bot": "b"}}).is(409, "account_claimed")
	w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"settings": object{"bot": "c", "page": nil}}).is(200)
	moved := w.call(otherKey, "POST", "/v1/channels", two).is(201).text("id")
	w.call(otherKey, "DELETE", "/v1/channels/"+moved, nil).is(204)
	w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201)
	w.call(ownerKey, "DELETE", "/v1/channels/"+moved, nil).is(404)
}

func TestAClaimWhoseChannelNeverCameToBeIsFreeAfterAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live := w.call(otherKey, "POST", "/v1/channels", toy("live")).is(201).text("id")
	claims := store.NewCollection[directory.Claim](w.env.DB, directory.Claims)
	for bot, owner := range map[string]string{"dead": "ch_never", "halfway": live} { // died while creating, died while patching
		c := &directory.Claim{ChannelID: owner, Since: event.At(w.now())}
		c.ID, c.Tenant = directory.AccountClaim(event.Telegram, "bot", bot), "other"
		w.ok(claims.Insert(t.Context(), c))
		w.call(ownerKey, "POST", "/v1/channels", toy(bot)).is(409, "account_claimed")
	}
	w.later(directory.ClaimRests)
	for _, bot := range []string{"dead", "halfway"} {
		w.call(ownerKey, "POST", "/v1/channels", toy(bot)).is(201)
	}
	w.call(ownerKey, "POST", "/v1/channels", toy("live")).is(409, "account_claimed")
}

func TestManyWhoWantOneAccountAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a := w.call([]string{ownerKey, otherKey}[i%2], "POST", "/v1/channels", toy("wanted"))
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	wg.Wait()
	if statuses[201] != 1 || statuses[409] != 7 {
		t.Errorf("%v, want one 201 and seven 409", statuses)
	}
}

func TestCreatesAreIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, bodies := range map[string][2]object{
		"/v1/channels":           {toy("a"), toy("b")},
		"/v1/users":              {{"name": "A", "email": "a@example.com", "role": "agent"}, {"name": "B", "email": "a@example.com", "role": "agent"}},
		"/v1/organization-units": {{"name": "A"}, {"name": "B"}},
	} {
		first := w.call(ownerKey, "POST", path, bodies[0], "Idempotency-Key", "k1").is(201)
		again := w.call(ownerKey, "POST", path, bodies[0], "Idempotency-Key", "k1").is(201)
		if first.raw != again.raw || again.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s: %s\nthen %s", path, first.raw, again.raw)
		}
		w.call(ownerKey, "POST", path, bodies[1], "Idempotency-Key", "k1").is(422, "idempotency_key_reused")
	}
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a"), "Idempotency-Key", "k1").is(201).text("id")
	w.call(ownerKey, "DELETE", "/v1/channels/"+id, nil).is(204)
	if fresh := w.call(ownerKey, "POST", "/v1/channels", toy("a"), "Idempotency-Key", "k1").is(201).text("id"); fresh == id {
		t.Error("a key outlives what it created")
	}
}

func TestADeletedChannelIsInNoList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kept, gone := w.call(ownerKey, "POST", "/v1/channels", toy("kept")).is(201).text("id"), w.call(ownerKey, "POST", "/v1/channels", toy("gone")).is(201).text("id")
	w.call(ownerKey, "DELETE", "/v1/channels/"+gone, nil).is(204)
	for _, path := range []string{"/v1/channels", "/v1/channels?type=telegram"} {
		if list := w.call(ownerKey, "GET", path, nil).is(200).raw; !strings.Contains(list, kept) || strings.Contains(list, gone) {
			t.Errorf("%s: %s", path, list)
		}
	}
}

func TestP10_AnotherTenantFindsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unit := w.call(ownerKey, "POST", "/v1/organization-units", object{"name": "North"}).is(201).text("id")
	ids := map[string]string{
		"/v1/channels": w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id"),
		"/v1/users":    w.call(ownerKey, "POST", "/v1/users", object{"name": "A", "email": "a@example.com", "role": "agent"}).is(201).text("id"),
		"/v1/api-keys": w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "k", "scopes": []string{"audit.read"}}).is(201).text("id"),
	}
	routes := 0
	for path, item := range w.spec.Doc.Paths.Map() {
		if !strings.Contains(path, "{id}") {
			continue
		}
		base, _, _ := strings.Cut(path, "/{id}")
		for method := range item.Operations() {
			var body any
			switch {
			case method == "PATCH":
				body = object{"name": "mine"}
			case strings.HasSuffix(path, "/simulate"):
				body = object{"body": object{}}
			case strings.HasSuffix(path, "/replay"):
				body = object{"partition": 0, "offset": 0}
			}
			w.call(otherKey, method, strings.ReplaceAll(path, "{id}", ids[base]), body).is(404, "not_found")
			w.call(otherKey, method, strings.ReplaceAll(path, "{id}", "nobody"), body).is(404, "not_found")
			routes++
		}
	}
	if routes < 7 {
		t.Errorf("only %d routes were tried", routes)
	}
	for _, path := range []string{"/v1/channels", "/v1/users", "/v1/organization-units", "/v1/audit-log"} {
		if got := w.call(otherKey, "GET", path, nil).is(200).list(); len(got) != 0 {
			t.Errorf("%s shows %v", path, got)
		}
	}
	for path, body := range map[string]object{
		"/v1/users":    {"name": "B", "email": "b@example.com", "role": "agent", "ou_id": unit},
		"/v1/api-keys": {"name": "k", "scopes": []string{"audit.read"}, "ou_id": unit},
		"/v1/channels": {"type": "telegram", "name": "x", "settings": object{"bot": "z"}, "secrets": object{"token": "t"}, "ou_id": unit},
	} {
		if got := w.call(otherKey, "POST", path, body).is(422).pointers(); !slices.Equal(got, []string{"/ou_id"}) {
			t.Errorf("%s: %v", path, got)
		}
	}
	w.call(otherKey, "POST", "/v1/organization-units", object{"name": "B", "parent_id": unit}).is(422)
}

func TestEveryWrongFieldIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id")
	for name, tc := range map[string]struct {
		method string
		body   object
		want   []string
	}{
		"unknown": {"POST", object{"type": "telegram", "name": "x", "settings": object{"bot": "b", "colour": "red"}, "secrets": object{"token": "t", "tokn": "u"}}, []string{"/secrets/tokn", "/settings/colour"}},
		"form": {"POST", object{"type": "telegram", "name": "x", "settings": object{"bot": "B!", "mode": "odd", "size": "big", "theme": []string{}, "api_base_url": "ftp://x"}},
			[]string{"/secrets/token", "/settings/api_base_url", "/settings/bot", "/settings/mode", "/settings/size", "/settings/theme"}},
		"items":          {"PATCH", object{"settings": object{"pages": []any{"https://a.example", "*", 5, "https://a.example/x"}}}, []string{"/settings/pages/1", "/settings/pages/2", "/settings/pages/3"}},
		"other provider": {"POST", object{"type": "telegram", "name": "x", "settings": object{"bot": "b", "mode": "fancy"}, "secrets": object{"token": "t"}}, []string{"/secrets/charm"}},
		"type":           {"POST", object{"type": "pigeon", "name": "x"}, []string{"/type"}},
		"document":       {"POST", object{"type": "telegram", "nam": "x", "reopen": "never", "customer_reply_timeout_minutes": 1441}, []string{"/customer_reply_timeout_minutes", "/nam", "/name", "/reopen"}},
		"routing":        {"POST", object{"type": "telegram", "name": "x", "settings": object{"bot": "b"}, "secrets": object{"token": "t"}, "reopen": "reopen_within_hours", "routing": object{"mode": "chatbot"}}, []string{"/reopen_within_hours", "/routing/bot_id"}},
		"last agent":     {"PATCH", object{"routing": object{"mode": "last_agent"}}, []string{"/routing/last_agent/enabled"}},
		"patch":          {"PATCH", object{"nme": "x", "agent_no_answer_minutes": 0, "routing": object{"last_agent": object{"forcd": true}}, "auto_reply": object{"working": object{"text": 5}}}, []string{"/agent_no_answer_minutes", "/auto_reply/working/text", "/nme", "/routing/last_agent/forcd"}},
		"patched form":   {"PATCH", object{"settings": object{"bot": nil, "x": 1}, "secrets": object{"token": nil, "y": "z"}}, []string{"/secrets/token", "/secrets/y", "/settings/bot", "/settings/x"}},
		"type stays":     {"PATCH", object{"type": "line"}, []string{"/type"}},
	} {
		path := "/v1/channels"
		if tc.method == "PATCH" {
			path += "/" + id
		}
		a := w.call(ownerKey, tc.method, path, tc.body).is(422)
		got := a.pointers()
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), tc.want) {
			t.Errorf("%s: %q, want %q: %s", name, got, tc.want, a.raw)
		}
	}
}

func TestItemsOfListsAreKeptInOneForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := toy("a")
	c["settings"].(object)["pages"] = []string{"HTTPS://*.Example.com:443/", "https://*.example.com", "http://shop.example:8080"}
	a := w.call(ownerKey, "POST", "/v1/channels", c).is(201)
	if want := `"pages":["https://*.example.com","http://shop.example:8080"]`; !strings.Contains(a.raw, want) {
		t.Errorf("%s, want %s", a.raw, want)
	}
}

// named is as much as admin reads of what service routing keeps.
type named struct {
	store.Meta
	AccessCode string `json:"access_code,omitempty"`
	Deleted    bool   `json:"deleted,omitempty"`
}

// routes makes a document of service routing, for the first tenant unless doc names another.
func (w *world) routes(spec store.Spec, id string, doc *named) {
	w.Helper()
	spec.Facts = false
	doc.ID, doc.Tenant = id, cmp.Or(doc.Tenant, DefaultTenant)
	w.ok(store.NewCollection[named](w.env.DB, spec).Insert(w.Context(), doc))
}

// What a policy names must be the tenant's own and there, or what comes in would wait for it for ever.
func TestAPolicyNamesOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	theirs := &named{AccessCode: "theirs"}
	theirs.Tenant = "other"
	w.routes(directory.Queues, "q_1", &named{})
	w.routes(directory.Queues, "q_deleted", &named{Deleted: true})
	w.routes(directory.Queues, "q_theirs", &named{Meta: store.Meta{Tenant: "other"}})
	w.routes(directory.Calendars, "cal_1", &named{})
	w.routes(directory.Bots, "bot_1", &named{AccessCode: "ours"})
	w.routes(directory.Bots, "bot_theirs", theirs)
	made := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201)
	path := "/v1/channels/" + made.text("id")
	last := func(queue string) object {
		return object{"routing": object{"last_agent": object{"enabled": true, "fallback_queue_id": queue}}}
	}
	for name, tc := range map[string]struct {
		policy  object
		pointer string // empty: it is taken
	}{
		"queue":               {object{"queue_id": "q_1"}, ""},
		"unknown queue":       {object{"queue_id": "q_none"}, "/queue_id"},
		"deleted queue":       {object{"queue_id": "q_deleted"}, "/queue_id"},
		"another's queue":     {object{"queue_id": "q_theirs"}, "/queue_id"},
		"calendar":            {object{"calendar_id": "cal_1"}, ""},
		"unknown calendar":    {object{"calendar_id": "cal_none"}, "/calendar_id"},
		"bot":                 {object{"routing": object{"mode": "chatbot", "bot_id": "bot_1"}}, ""},
		"unknown bot":         {object{"routing": object{"mode": "chatbot", "bot_id": "bot_none"}}, "/routing/bot_id"},
		"another's bot":       {object{"routing": object{"bot_id": "bot_theirs"}}, "/routing/bot_id"},
		"access code":         {object{"routing": object{"mode": "chatbot", "access_code": "ours"}}, ""},
		"unknown access code": {object{"routing": object{"access_code": "none"}}, "/routing/access_code"},
		"another's code":      {object{"routing": object{"access_code": "theirs"}}, "/routing/access_code"},
		"fallback":            {last("q_1"), ""},
		"unknown fallback":    {last("q_none"), "/routing/last_agent/fallback_queue_id"},
	} {
		for method, a := range map[string]answer{
			"PATCH": w.call(ownerKey, "PATCH", path, tc.policy),
			"POST":  w.call(ownerKey, "POST", "/v1/channels", merged(toy(regexp.MustCompile(`[^a-z]`).ReplaceAllString(name, "")), tc.policy)),
		} {
			refused := a.status == 422
			if refused != (tc.pointer != "") || (refused && !slices.Equal(a.pointers(), []string{tc.pointer})) {
				t.Errorf("%s %s: %d %s, want %q refused", method, name, a.status, a.raw, tc.pointer)
			}
		}
	}
	w.call(ownerKey, "PATCH", path, object{"queue_id": "q_1"}).is(200)
	queues := directory.Queues
	queues.Facts = false
	_, err := store.NewCollection[named](w.env.DB, queues).Update(t.Context(), "q_1", func(q *named) error {
		q.Deleted = true
		return nil
	})
	w.ok(err)
	w.env.Directory.Changed(event.Config{Entity: directory.EntityQueue, ID: "q_1", Version: 2})
	w.call(ownerKey, "PATCH", path, object{"name": "renamed although its queue was deleted"}).is(200)
}

func merged(a, b object) object {
	maps.Copy(a, b)
	return a
}

func TestPatchesMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := toy("a")
	w.routes(directory.Queues, "q_1", &named{})
	in["queue_id"], in["auto_reply"] = "q_1", object{"working": object{"enabled": true, "text": "hello"}, "queue_full": "full"}
	in["settings"] = object{"bot": "a", "theme": object{"accent": "#fff", "title": "T"}}
	made := w.call(ownerKey, "POST", "/v1/channels", in).is(201)
	path := "/v1/channels/" + made.text("id")
	if made.header.Get("ETag") != `"1"` || made.object["settings"].(map[string]any)["mode"] != "plain" {
		t.Errorf("%v %s", made.header, made.raw)
	}
	patch := object{"enabled": false, "queue_id": nil, "auto_reply": object{"working": object{"text": "bye"}, "queue_full": nil}, "settings": object{"theme": object{"accent": nil}}}
	got := w.call(ownerKey, "PATCH", path, patch, "If-Match", `"1"`, "Content-Type", "application/merge-patch+json").is(200)
	want := map[string]any{"working": map[string]any{"enabled": true, "text": "bye"}}
	if d := gocmp.Diff(want, got.object["auto_reply"]); d != "" {
		t.Error(d)
	}
	theme := got.object["settings"].(map[string]any)["theme"].(map[string]any)
	if _, there := got.object["queue_id"]; there || got.object["enabled"] != false || theme["title"] != "T" || len(theme) != 1 || got.header.Get("ETag") != `"2"` {
		t.Errorf("%s", got.raw)
	}
	w.call(ownerKey, "PATCH", path, patch, "If-Match", `"1"`).is(412, "version_mismatch")
	w.call(ownerKey, "PATCH", path, []int{1}).is(422)
	if after := w.call(ownerKey, "GET", path, nil).is(200); after.raw != got.raw {
		t.Errorf("a refused patch changed something: %s", after.raw)
	}
}

func TestTheWebhookLogReadsTheJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id")
	for i, key := range []string{id, "ch_other", id, id} {
		call := event.Webhook{ChannelID: key, Method: "POST", Path: "/webhooks/telegram/" + key, Verdict: "accepted", Reason: string(rune('a' + i)), Body: []byte("private"), At: event.At(time.Now())}
		e := event.New(event.DeriveID("evt", key, call.Reason), event.WebhookReceived, "telegram", DefaultTenant, key, event.At(time.Now()), call)
		w.ok(w.env.Bus.Publish(t.Context(), event.Record{Topic: event.TopicWebhooks, Key: key, Event: e}))
	}
	var reasons []string
	log := w.call(ownerKey, "GET", "/v1/channels/"+id+"/webhook-log?limit=2", nil).is(200)
	for _, c := range log.list() {
		reasons = append(reasons, c["reason"].(string))
		at := c["position"].(map[string]any)
		there, err := w.env.Bus.ReadFrom(t.Context(), event.TopicWebhooks, int(at["partition"].(float64)), int64(at["offset"].(float64)), 1)
		w.ok(err)
		if len(there) != 1 || there[0].Event.ID != c["id"] {
			t.Errorf("at %v is %v, want %v", at, there, c["id"])
		}
	}
	if !slices.Equal(reasons, []string{"d", "c"}) || strings.Contains(log.raw, "private") {
		t.Errorf("%v %s, want the newest two", reasons, log.raw)
	}
}

func stored[T any](w *world, c *store.Collection[T], id string) (*T, string) {
	w.Helper()
	doc, err := c.Get(w.Context(), id)
	w.ok(err)
	b, err := json.Marshal(doc)
	w.ok(err)
	return doc, string(b)
}

// A channel with a connection of its own shows whether it works, and why not.
func TestAChannelShowsItsConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201)
	path := "/v1/channels/" + made.text("id")
	shown := func() object {
		t.Helper()
		c, _ := w.call(ownerKey, "GET", path, nil).is(200).object["connection"].(map[string]any)
		return c
	}
	if c := shown(); c != nil {
		t.Errorf("a channel without a connection shows %v", c)
	}
	channels := store.NewCollection[directory.Channel](w.env.DB, directory.Channels)
	doc, err := channels.Get(t.Context(), made.text("id"))
	if err != nil {
		t.Fatal(err)
	}
	docs := store.NewCollection[directory.Connection](w.env.DB, directory.Connections)
	set := func(state string, ago time.Duration, f func(*directory.Connection)) {
		t.Helper()
		_, err := docs.Upsert(t.Context(), made.text("id"), func() *directory.Connection { return &directory.Connection{} }, func(d *directory.Connection) error {
			*d = directory.Connection{Meta: d.Meta, State: state, Since: event.At(time.Now()), SeenAt: event.At(time.Now().Add(-ago)), Version: 1}
			d.Tenant = doc.Tenant
			f(d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	none := func(*directory.Connection) {}
	set(directory.Connected, time.Minute, none)
	if c := shown(); c["state"] != "connected" || c["channel_version"] != float64(1) || c["error"] != nil {
		t.Errorf("connected: %v", c)
	}
	set(directory.Connected, 4*time.Minute, none)
	if c := shown(); c["state"] != "unheard" {
		t.Errorf("not renewed: %v", c)
	}
	set(directory.Failing, 0, func(d *directory.Connection) {
		d.Tries, d.NextAt, d.Error = 2, event.At(time.Now().Add(time.Minute)), &event.Error{Kind: "denied", Code: "credentials_rejected"}
	})
	c := shown()
	if why, _ := c["error"].(map[string]any); c["state"] != "failing" || c["tries"] != float64(2) || c["next_try_at"] == nil || why["code"] != "credentials_rejected" {
		t.Errorf("failing: %v", c)
	}
	set(directory.Failing, 0, func(d *directory.Connection) { d.Tenant = "another" })
	if c := shown(); c != nil {
		t.Errorf("of another tenant: %v", c)
	}
	set(directory.Failing, 0, none)
	w.call(ownerKey, "PATCH", path, object{"enabled": false}).is(200)
	if c := shown(); c != nil {
		t.Errorf("switched off: %v", c)
	}
}
