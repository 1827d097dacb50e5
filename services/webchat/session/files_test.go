package session

import "testing"

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"../../etc/passwd": "passwd", "a\r\nb": "ab", "": "file", "x/": "file", "bücher.pdf": "bücher.pdf"} {
		if got := plainName(name); got != want {
			t.Errorf("%q became %q", name, got)
		}
	}
}
