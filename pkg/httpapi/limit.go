package httpapi

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/budget"
)

// DefaultRate is how often one caller may call one process: generous enough that only loops exceed it.
var DefaultRate = budget.Rate{N: 200, Per: time.Second, Burst: 400}

// LimitRate answers 429 to a caller over the rate, and says in every answer what is left (RateLimit, RateLimit-Policy).
// It stands behind [Authenticate].
func LimitRate(q budget.Rate) gin.HandlerFunc {
	l := budget.New(q, time.Now)
	each := q.Per.Seconds() / float64(q.N)
	policy := fmt.Sprintf(`"caller";q=%d;w=%d`, q.Burst, int(math.Ceil(float64(q.Burst)*each)))
	return func(c *gin.Context) {
		p := Caller(c)
		who := p.Tenant + "|" + p.ID
		err := l.Take(who)
		left := max(0, l.Left(who))
		c.Header("RateLimit-Policy", policy)
		c.Header("RateLimit", fmt.Sprintf(`"caller";r=%d;t=%d`, int(left), int(math.Ceil((float64(q.Burst)-left)*each))))
		c.Header("X-RateLimit-Limit", strconv.Itoa(q.Burst))
		c.Header("X-RateLimit-Remaining", strconv.Itoa(int(left)))
		if err != nil {
			Fail(c, err)
			return
		}
		c.Next()
	}
}
