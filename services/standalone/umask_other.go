//go:build !unix

package standalone

// restrictNewFiles does nothing where files have no modes.
func restrictNewFiles() {}
