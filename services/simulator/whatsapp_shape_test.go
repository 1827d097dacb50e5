package simulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

// TestWhatsAppReceiptsNameTheRecipient: a status has a contact object with ids alone; of a failed message to a number there is no user
// id, and a group's status names the participant.
func TestWhatsAppReceiptsNameTheRecipient(t *testing.T) {
	t.Parallel()
	const hidden, group = "DE.12345", "grp1"
	for name, c := range map[string]struct {
		to, status string
		userID     bool
		members    bool
	}{
		"sent to a number":      {ana, "sent", true, false},
		"read by a number":      {ana, "read", true, false},
		"failed to a number":    {ana, "failed", false, false},
		"delivered to a hidden": {hidden, "delivered", false, false},
		"failed to a hidden":    {hidden, "failed", false, false},
		"read in a group":       {group, "read", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := cloud(t)
			w.must("PUT", "/simulator/script", obj{"receipts": obj{"mode": "manual"}}, nil)
			w.write(obj{"from": ana, "group": map[bool]string{true: group}[c.members]})
			w.forget()
			out := text("att_1", "hello")
			out.Peer = c.to
			ref := w.one(out)
			w.must("POST", "/simulator/receipts", obj{"id": ref, "status": c.status}, nil)
			e := w.wait(1)[0]
			if e.Peer != c.to || e.ExternalID != ref {
				t.Errorf("the receipt is about %q: %+v", e.Peer, e)
			}
			if got := slices.ContainsFunc(e.Aliases, func(id string) bool { return strings.HasPrefix(id, "DE.") }); got != c.userID {
				t.Errorf("a user id is told: %v, want %v: %v", got, c.userID, e.Aliases)
			}
			if got := strings.HasPrefix(e.Receipt.Participant, "DE."); got != c.members {
				t.Errorf("participant %q", e.Receipt.Participant)
			}
		})
	}
}

func TestWhatsAppIdentityChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, target, reason string }{
		"another number":          {ana, "+4917712345678", "user_changed_number"},
		"a number for a user id":  {"DE.12345", "+4917712345678", "user_changed_number"},
		"another user id":         {ana, "MX.998877", "user_changed_user_id"},
		"a user id for a user id": {"DE.12345", "MX.998877", "user_changed_user_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := cloud(t)
			e := w.write(obj{"from": c.from, "name": "Ana", "kind": "number_changed", "target": c.target})
			if e.Type != event.ContactIdentified || e.Identity.Reason != c.reason || !slices.Contains(e.Identity.New, strings.TrimPrefix(c.target, "+")) {
				t.Fatalf("arrived: %+v %+v", e, e.Identity)
			}
			if !slices.ContainsFunc(e.Identity.Old, func(id string) bool { return strings.HasPrefix(id, "DE.") }) {
				t.Errorf("the old user id is not told: %v", e.Identity.Old)
			}
			if e.Profile != nil && e.Profile.Name != "" {
				t.Errorf("Meta tells no name with it: %+v", e.Profile)
			}
		})
	}
	w := cloud(t)
	if status, body := w.call(w.key, "POST", "/simulator/inbound", obj{"type": "whatsapp", "from": ana, "kind": "number_changed", "target": "12"}, nil); status != 422 || !strings.Contains(body, "/target") {
		t.Errorf("no number and no user id: %d %s", status, body)
	}
}

func TestWhatsAppEchoNamesTheCustomer(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	if e := w.write(obj{"from": ana, "name": "Ana", "kind": "echo"}); e.Profile == nil || e.Profile.Name != "Ana" || len(e.Aliases) == 0 {
		t.Errorf("echo: %+v %+v", e, e.Profile)
	}
}

// TestWhatsAppChoicesHaveTheirMessage: the message whose button or row was chosen is named, even if this account did not send it.
func TestWhatsAppChoicesHaveTheirMessage(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	for kind, want := range map[string]bool{"button": true, "list": true, "quick_reply": false} {
		if e := w.write(obj{"from": ana, "kind": kind, "text": "yes"}); (e.Content.ReplyTo != nil) != want {
			t.Errorf("%s: %+v", kind, e.Content.ReplyTo)
		}
	}
}

// TestWhatsAppFilesAreFoundByTheirID: phone_number_id only narrows whose file it may be.
func TestWhatsAppFilesAreFoundByTheirID(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	id := w.write(obj{"from": ana, "kind": "image"}).Content.Attachments[0].MediaRef
	for name, c := range map[string]struct {
		token, query string
		status       int
	}{
		"by the id":           {"EAAG-token", "", http.StatusOK},
		"with the number":     {"EAAG-token", "?phone_number_id=109876543210987", http.StatusOK},
		"with another number": {"EAAG-token", "?phone_number_id=1", http.StatusBadRequest},
		"with another token":  {"EAAG-other", "", http.StatusBadRequest},
	} {
		if status, body := w.call(c.token, "GET", "/simulator/whatsapp/v26.0/"+id+c.query, nil, nil); status != c.status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}
