package media

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

func TestTheOldestGoFirst(t *testing.T) {
	t.Parallel()
	s, a, b := &Store{}, &account.Account{}, &account.Account{}
	for i := range 5 {
		s.Put(strconv.Itoa(i), &File{Of: a, Data: make([]byte, Budget/4)})
	}
	if s.File(a, "0") != nil || s.File(a, "4") == nil || s.File(b, "4") != nil || s.bytes > Budget {
		t.Errorf("%d bytes in %d files", s.bytes, len(s.files))
	}
	if s.Delete(b, "4") || !s.Delete(a, "4") || s.File(a, "4") != nil {
		t.Error("a file is deleted by its owner, once")
	}
}

// TestSamplesAreWhatTheySay: the bytes are recognised as the type that is announced.
func TestSamplesAreWhatTheySay(t *testing.T) {
	t.Parallel()
	for kind := range samples {
		f, err := Of(&account.Account{}, &account.Action{Kind: kind, Media: &account.Media{Size: 5000}})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(f.MIME, "audio/ogg", "application/ogg", 1)
		if got := http.DetectContentType(f.Data); got != want || len(f.Data) != 5000 {
			t.Errorf("%s: %s, %d bytes", kind, got, len(f.Data))
		}
	}
	if _, err := Of(&account.Account{}, &account.Action{Kind: "image", Media: &account.Media{Size: MaxSize + 1}}); err == nil {
		t.Error("a file over the limit")
	}
}
