package blob

import (
	"path/filepath"

	"github.com/tributaryhq/tributary/pkg/disk"
)

// syncBlob brings a blob to the disk, with its attributes and the names of the folders down to it: the driver for folders does not.
func syncBlob(folder, key string) error {
	path, folder := filepath.Join(folder, filepath.FromSlash(key)), filepath.Clean(folder)
	paths := []string{path, path + ".attrs"}
	for dir := filepath.Dir(path); len(dir) > len(folder); dir = filepath.Dir(dir) {
		paths = append(paths, dir)
	}
	for _, p := range append(paths, folder) {
		if err := disk.Sync(p); err != nil {
			return err
		}
	}
	return nil
}
