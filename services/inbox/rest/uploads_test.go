package rest

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// upload asks for a place for a file of so many bytes; a negative size is not announced.
func upload(u *Uploads, caller, address, tenant string, size int64) error {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("POST", "/v1/attachments", strings.NewReader(""))
	c.Request.RemoteAddr, c.Request.ContentLength = address, size
	return u.take(c, &auth.Principal{ID: caller, Tenant: tenant})
}

func TestUploadedBytesAreBoundedForCallerAddressAndTenant(t *testing.T) {
	t.Parallel()
	const file = 10
	narrow, wide := budget.Rate{N: 1, Per: time.Hour, Burst: 3 * file}, budget.Rate{N: 1e9, Per: time.Hour, Burst: 1e9}
	for name, c := range map[string]struct {
		limits UploadLimits
		who    func(i int) (caller, address, tenant string) // of one budget, however else they differ
	}{
		"caller": {UploadLimits{narrow, wide, wide}, func(i int) (string, string, string) {
			return "a", fmt.Sprintf("192.0.2.%d:1", i), "t"
		}},
		"address": {UploadLimits{wide, narrow, wide}, func(i int) (string, string, string) {
			return fmt.Sprint("a", i), fmt.Sprintf("192.0.2.1:%d", i+1), fmt.Sprint("t", i)
		}},
		"network of a subscriber": {UploadLimits{wide, narrow, wide}, func(i int) (string, string, string) {
			return fmt.Sprint("a", i), fmt.Sprintf("[2001:db8::%d]:1", i), fmt.Sprint("t", i)
		}},
		"tenant": {UploadLimits{wide, wide, narrow}, func(i int) (string, string, string) {
			return fmt.Sprint("a", i), fmt.Sprintf("192.0.2.%d:1", i), "t"
		}},
	} {
		u := NewUploads(c.limits, time.Now)
		for i := range 4 {
			caller, address, tenant := c.who(i)
			err := upload(u, caller, address, tenant, file)
			if refused := err != nil; refused != (i == 3) || refused && fault.Of(err).Code != "rate_limited" {
				t.Errorf("%s: upload %d: %v", name, i, err)
			}
		}
		if err := upload(u, "another", "198.51.100.1:1", "another", file); err != nil {
			t.Errorf("%s: another is refused, too: %v", name, err)
		}
	}
}

// A file whose size is not announced counts as the largest.
func TestAnUnannouncedSizeIsTheLargest(t *testing.T) {
	t.Parallel()
	narrow := budget.Rate{N: 1, Per: time.Hour, Burst: 2*MaxUpload - 1}
	u := NewUploads(UploadLimits{narrow, narrow, narrow}, time.Now)
	if first, second := upload(u, "a", "192.0.2.1:1", "t", -1), upload(u, "a", "192.0.2.1:1", "t", -1); first != nil || second == nil {
		t.Errorf("first %v, second %v", first, second)
	}
}
