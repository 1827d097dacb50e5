package session

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestUploadedBytesAreBoundedForVisitorAddressChannelAndTenant(t *testing.T) {
	t.Parallel()
	const file = 10
	narrow := rate(1, time.Hour, 3*file)
	for name, c := range map[string]struct {
		narrow func(*ByteLimits)
		who    func(i int) (visitor, address, channel, tenant string)
	}{
		"visitor": {func(b *ByteLimits) { b.Visitor = narrow }, func(i int) (string, string, string, string) {
			return "v", fmt.Sprintf("192.0.2.%d:1", i), fmt.Sprint("c", i), fmt.Sprint("t", i)
		}},
		"address": {func(b *ByteLimits) { b.Address = narrow }, func(i int) (string, string, string, string) {
			return fmt.Sprint("v", i), "192.0.2.1:" + fmt.Sprint(i+1), fmt.Sprint("c", i), fmt.Sprint("t", i)
		}},
		"channel": {func(b *ByteLimits) { b.Channel = narrow }, func(i int) (string, string, string, string) {
			return fmt.Sprint("v", i), fmt.Sprintf("192.0.2.%d:1", i), "c", fmt.Sprint("t", i)
		}},
		"tenant": {func(b *ByteLimits) { b.Tenant = narrow }, func(i int) (string, string, string, string) {
			return fmt.Sprint("v", i), fmt.Sprintf("192.0.2.%d:1", i), fmt.Sprint("c", i), "t"
		}},
	} {
		l := DefaultLimits
		wide := rate(1e9, time.Hour, 1e9)
		l.Uploads = wide
		l.Bytes = ByteLimits{Visitor: wide, Address: wide, Channel: wide, Tenant: wide}
		c.narrow(&l.Bytes)
		limits := newLimits(l, time.Now)
		for i := range 4 {
			visitor, address, ch, tenant := c.who(i)
			gc, _ := gin.CreateTestContext(httptest.NewRecorder())
			gc.Request = httptest.NewRequest("POST", "/", nil)
			gc.Request.RemoteAddr = address
			gc.Set("channel", channel.Keyed{Channel: channel.Channel{ID: ch}})
			err := limits.upload(gc, session{Tenant: tenant, RegisteredClaims: jwt.RegisteredClaims{Subject: visitor}}, file)
			if refused := fault.Is(err, fault.Throttled); refused != (i == 3) {
				t.Errorf("%s: upload %d: %v", name, i, err)
			}
		}
	}
}
