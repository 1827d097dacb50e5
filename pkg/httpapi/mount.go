package httpapi

import (
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Deadline of an ordinary API request; streams have none.
const requestDeadline = 30 * time.Second

// Guard is what stands before every operation of an API: body limit, deadline, caller, quota, and the document.
func Guard(a Authenticator, spec *Spec) []gin.HandlerFunc {
	return []gin.HandlerFunc{LimitBody(MaxBody), Deadline(requestDeadline), Authenticate(a), LimitRate(DefaultRate), spec.Validate()}
}

// BadParameter answers a parameter that does not fit its type; generated servers call it.
func BadParameter(c *gin.Context, err error, _ int) {
	Fail(c, fault.New(fault.Invalid, "bad_format", "%s", firstLine(err)))
}
