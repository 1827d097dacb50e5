package blob

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func TestMain(m *testing.M) {
	// OpenCensus, which gocloud.dev links in, runs a worker for the life of the process.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

// each runs a test on every kind of store that needs no network.
func each(t *testing.T, f func(t *testing.T, s *Store)) {
	t.Helper()
	for name, u := range map[string]string{"mem": "mem://", "file": "file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "a", "blobs"))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), u, storetest.New(t, Specs...), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			f(t, s)
		})
	}
}

var png = append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 100)...)

func TestPutAndOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{"small": png, "empty": {}, "spilled": bytes.Repeat(png, 20_000), "exactly in memory": bytes.Repeat([]byte("a"), inMemory)} {
			key, sha, size, mime, err := s.Put(t.Context(), "t1", bytes.NewReader(content), int64(len(content)))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := sha256.Sum256(content)
			if sha != hex.EncodeToString(want[:]) || size != int64(len(content)) || !strings.HasPrefix(key, "t1/") {
				t.Errorf("%s: key %s, sha %s, size %d", name, key, sha, size)
			}
			r, a, err := s.Open(t.Context(), "t1", key)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s: read %d bytes, %v", name, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if a.Size != size || a.MIME != mime || a.SHA256 != sha || a.Changed.IsZero() {
				t.Errorf("%s: attrs %+v", name, a)
			}
		}
	})
}

func TestContentDecidesTheKeyAndTheType(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *Store) {
		var wg sync.WaitGroup
		keys := make([]string, 16)
		for i := range keys {
			wg.Go(func() {
				key, _, _, mime, err := s.Put(t.Context(), "t1", bytes.NewReader(png), 1000)
				if err != nil || mime != "image/png" {
					t.Errorf("put: %s %v", mime, err)
				}
				keys[i] = key
			})
		}
		wg.Wait()
		for _, k := range keys {
			if k != keys[0] {
				t.Errorf("the same bytes got the keys %s and %s", keys[0], k)
			}
		}
		other, _, _, _, err := s.Put(t.Context(), "t2", bytes.NewReader(png), 1000)
		if err != nil || other == keys[0] {
			t.Errorf("two tenants share %s, %v", other, err)
		}
	})
}

func TestWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *Store) {
		for _, n := range []int{101, 2 << 20} {
			if _, _, _, _, err := s.Put(t.Context(), "t1", bytes.NewReader(make([]byte, n)), 100); fault.Of(err).Code != "too_large" || !strings.Contains(err.Error(), "100 bytes") {
				t.Errorf("%d bytes of 100: %v", n, err)
			}
		}
		broken := errors.New("connection reset")
		if _, _, _, _, err := s.Put(t.Context(), "t1", iotest.ErrReader(broken), 100); !errors.Is(err, broken) {
			t.Errorf("a broken source: %v", err)
		}
		for _, tenant := range []string{"", "..", "a/b"} {
			if _, _, _, _, err := s.Put(t.Context(), tenant, bytes.NewReader(nil), 100); !fault.Is(err, fault.Invalid) {
				t.Errorf("tenant %q: %v", tenant, err)
			}
		}
	})
}

func TestKeysStayInTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "file:"+filepath.ToSlash(filepath.Join(dir, "blobs")), nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, _, err := s.Open(t.Context(), "t1", "../secret"); err == nil {
		t.Error("a key led out of the folder")
	}
	for _, u := range []string{"", "no scheme", "file:", "ftp://x"} {
		if _, err := Open(t.Context(), u, nil, time.Now); err == nil {
			t.Errorf("%q opened", u)
		}
	}
}

func TestP10_AFileIsOpenedOnlyForItsTenantAndByItsKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *Store) {
		key, sha, _, _, err := s.Put(t.Context(), "t1", bytes.NewReader(png), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ tenant, key string }{
			{"t2", key}, {"", key}, {"t", key}, {"t1/", key}, {"t2", "t2/../" + key}, {"t2", "t2/" + sha[:2] + "/../../" + key}, {"t1", "/" + key},
			{"t1", "t1/../" + key}, {"t1", "t1/" + sha}, {"t1", key + "/"}, {"t1", strings.ToUpper(key)}, {"t1", "t1/" + sha[:2] + "/" + sha[:63]},
			{"t1", "t1/zz/" + sha}, {"t1", ""}, {"", ""}, {"t1", key + ".attrs"}, {"t1", key[:len(key)-1]}, {"t1", key[:strings.LastIndexByte(key, '.')] + ".attrs"},
			{"t1", key[:strings.LastIndexByte(key, '.')] + "./../../../../secret/aaaaaaaa"},
		} {
			if r, _, err := s.Open(t.Context(), c.tenant, c.key); !fault.Is(err, fault.Gone) {
				t.Errorf("tenant %q opens %q: %v %v", c.tenant, c.key, r, err)
			}
		}
		r, _, err := s.Open(t.Context(), "t1", key)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
	})
}
