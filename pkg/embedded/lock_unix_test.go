//go:build unix

package embedded

import (
	"os"
	"os/exec"
	"testing"
)

// A child that is being started has the files of its parent open until it comes to its own program: the folder is free all the same.
func TestAFolderIsFreeOnceItsBrokerHasClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "sleep", "600")
	child.ExtraFiles = []*os.File{first}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait() // killed
	})
	if err := unlock(first); err != nil {
		t.Fatal(err)
	}
	second, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(second); err != nil {
		t.Error(err)
	}
}
