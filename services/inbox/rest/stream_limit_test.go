package rest

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestACallerHasABoundedNumberOfStreams(t *testing.T) {
	t.Parallel()
	s := &Server{Streams: budget.NewShares(10, 2)}
	p, other := &auth.Principal{Tenant: "t", ID: "a"}, &auth.Principal{Tenant: "t", ID: "b"}
	done, err := s.admitStream(p)
	_, err2 := s.admitStream(p)
	_, err3 := s.admitStream(p)
	_, err4 := s.admitStream(other)
	if err != nil || err2 != nil || err4 != nil || !fault.Is(err3, fault.Throttled) || fault.Of(err3).After <= 0 {
		t.Errorf("first %v, second %v, third %v, another caller %v", err, err2, err3, err4)
	}
	done()
	if _, err := s.admitStream(p); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}
