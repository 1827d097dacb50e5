package sqlite_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB) store.DB { return storetest.New(t) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open)
}
