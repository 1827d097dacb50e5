package standalone

import (
	"path/filepath"
	"testing"
)

// TestEveryBinaryIsALinkToOne compares with the commands that are built one by one.
func TestEveryBinaryIsALinkToOne(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../*/cmd/*")
	if err != nil || len(dirs) < 9 {
		t.Fatalf("%v %v", dirs, err)
	}
	for _, dir := range dirs {
		name := filepath.Base(dir)
		s, ok := CalledAs("/usr/local/bin/tributary-" + name)
		if name == "tributary" {
			continue
		}
		if !ok || s.Name != name {
			t.Errorf("tributary-%s is %q (%t)", name, s.Name, ok)
		}
	}
	for _, other := range []string{"tributary", "/usr/local/bin/tributary", "tributary-linux-amd64", "tributary-", "inbox"} {
		if s, ok := CalledAs(other); ok {
			t.Errorf("%s is %s", other, s.Name)
		}
	}
}
