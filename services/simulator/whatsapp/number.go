package whatsapp

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
)

// The two providers of a number.
const (
	typeName = "whatsapp"
	cloud    = "cloud"
	dialog   = "360dialog"
)

// ownNumber is what belongs to a WhatsApp number only.
type ownNumber struct {
	waba   string
	header map[string]string // 360dialog: sent with every webhook
}

func own(c *account.Config) ownNumber {
	n, _ := c.Own.(ownNumber)
	return n
}

// isDialog reports whether 360dialog serves the number.
func isDialog(c *account.Config) bool { return c.Provider == dialog }

// Type implements the simulator's provider.
func (p *Provider) Type() string { return typeName }

// Account reads a number's registration.
func (p *Provider) Account(in account.Registration) (account.Config, error) {
	c := account.Config{
		Type: typeName, Provider: cmp.Or(in.Text("provider"), cloud), ID: in.Text("phone_number_id"), Base: typeName,
		Display: cmp.Or(in.Text("display_phone_number"), "15550102233"), Own: ownNumber{waba: cmp.Or(in.Text("waba_id"), "0")},
	}
	switch {
	case c.Provider != cloud && c.Provider != dialog:
		return c, fault.At("/settings/provider", "bad_value", "want cloud or 360dialog")
	case c.ID == "" || strings.Trim(c.ID, "0123456789") != "":
		return c, fault.At("/settings/phone_number_id", "bad_format", "want the digits of a phone number id")
	case c.Provider == dialog:
		c.Base, c.Key = dialog, in.Secrets["api_key"]
		return c, in.Need("api_key", "webhook_secret")
	}
	return c, in.Need("app_secret", "access_token")
}

// MadeUp implements the simulator's provider: a number at the Cloud API.
func (p *Provider) MadeUp() account.Registration {
	return account.Registration{
		Type: typeName, Settings: map[string]any{"provider": cloud, "phone_number_id": account.Digits(), "waba_id": account.Digits()},
		Secrets: map[string]string{"app_secret": account.Hex(16), "access_token": account.Hex(24), "verify_token": account.Hex(12)},
	}
}

// number is the account of a phone_number_id.
func (p *Provider) number(id string) *account.Account { return p.Accounts.ByID(typeName, id) }
