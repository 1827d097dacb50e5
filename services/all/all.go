// Package all is the explicit list of services and of channel types: the only registry there is.
package all

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/admin"
	"github.com/tributaryhq/tributary/services/console"
	"github.com/tributaryhq/tributary/services/deliverystatus"
	"github.com/tributaryhq/tributary/services/facebook"
	"github.com/tributaryhq/tributary/services/inbox"
	"github.com/tributaryhq/tributary/services/instagram"
	"github.com/tributaryhq/tributary/services/line"
	"github.com/tributaryhq/tributary/services/rcs"
	"github.com/tributaryhq/tributary/services/routing"
	"github.com/tributaryhq/tributary/services/sms"
	"github.com/tributaryhq/tributary/services/telegram"
	"github.com/tributaryhq/tributary/services/webchat"
	"github.com/tributaryhq/tributary/services/wechat"
	"github.com/tributaryhq/tributary/services/whatsapp"
	"github.com/tributaryhq/tributary/services/x"
)

// Services returns every service of a platform, channel services first.
func Services() []run.Service {
	return []run.Service{
		whatsapp.Service, instagram.Service, facebook.Service, telegram.Service, line.Service, wechat.Service, x.Service, rcs.Service, sms.Service, webchat.Service,
		inbox.Service, routing.Service, deliverystatus.Service, admin.Service, console.Service,
	}
}

// Adapters returns every channel type's adapter, in the order of event.ChannelTypes.
func Adapters() []channel.Adapter {
	return []channel.Adapter{whatsapp.Adapter{}, instagram.Adapter{}, facebook.Adapter{}, telegram.Adapter{}, line.Adapter{}, wechat.Adapter{}, x.Adapter{}, rcs.Adapter{}, sms.Adapter{}, webchat.Adapter{}}
}
