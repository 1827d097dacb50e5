package standalone

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheDataDirectoryIsItsUsersAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	old := filepath.Join(dir, "blobs", "old")
	outside := filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(old), 0o755), os.WriteFile(old, nil, 0o644), os.WriteFile(outside, nil, 0o644), //nolint:gosec // that is the case
		os.Chmod(dir, 0o755), os.Chmod(old, 0o664), os.Chmod(outside, 0o644), os.Symlink(outside, filepath.Join(dir, "link")), //nolint:gosec // likewise
		private(dir),
		os.WriteFile(filepath.Join(dir, "new"), nil, 0o666), os.Mkdir(filepath.Join(dir, "made"), 0o777), //nolint:gosec // as other packages do
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]os.FileMode{
		dir: 0o700, filepath.Dir(old): 0o700, old: 0o600, filepath.Join(dir, "new"): 0o600, filepath.Join(dir, "made"): 0o700, outside: 0o644,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
}
