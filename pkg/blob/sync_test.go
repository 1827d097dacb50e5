package blob

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// A loss of power may leave the name of a file whose upload was not acknowledged, and not its bytes: the same upload again is not
// taken for one that is there already.
func TestP13_ACutFileIsWrittenAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s, err := Open(t.Context(), "file:"+filepath.ToSlash(folder), storetest.New(t, Specs...), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, size := range []int64{int64(len(png)), 0, 10} {
		key, _, _, _, err := s.Put(t.Context(), "t1", bytes.NewReader(png), 1<<10)
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := s.Open(t.Context(), "t1", key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, png) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		_ = r.Close()
		if err := os.Truncate(filepath.Join(folder, filepath.FromSlash(key)), size); err != nil {
			t.Fatal(err)
		}
	}
}
