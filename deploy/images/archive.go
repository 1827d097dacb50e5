package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	user = 65532 // the user "nonroot" of the distroless images
	bin  = "usr/local/bin"
)

// spec is an image.
type spec struct {
	ref, arch, entrypoint string
	labels, env, ports    []string
	created               time.Time
	layers                []*layer
}

// layer is a set of files and folders.
type layer struct {
	entries []entry
}

type entry struct {
	name  string
	mode  int64
	owner int
	to    string // of a link
	body  []byte // nil: a folder, or a link
}

func (l *layer) file(name string, mode int64, body []byte) {
	l.entries = append(l.entries, entry{name: name, mode: mode, body: body})
}

func (l *layer) folder(name string, mode int64, owner int) {
	l.entries = append(l.entries, entry{name: name, mode: mode, owner: owner})
}

func (l *layer) link(name, to string) {
	l.entries = append(l.entries, entry{name: name, mode: 0o777, to: to})
}

// tree adds the files of a folder.
func (l *layer) tree(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		l.file(path.Join(to, filepath.ToSlash(rel)), 0o644, body)
		return nil
	})
}

// pack writes the layer. Folders above a file come before it, each once.
func (l *layer) pack() ([]byte, error) {
	all := map[string]entry{}
	for _, e := range l.entries {
		for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
			if _, ok := all[dir]; !ok {
				all[dir] = entry{name: dir, mode: 0o755}
			}
		}
		all[e.name] = e
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		e := all[name]
		h := &tar.Header{Name: name, Mode: e.mode, Uid: e.owner, Gid: e.owner, Size: int64(len(e.body)), Typeflag: tar.TypeReg}
		if e.to != "" {
			h.Linkname, h.Typeflag = e.to, tar.TypeSymlink
		} else if e.body == nil {
			h.Name, h.Typeflag = name+"/", tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, err := w.Write(e.body); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// certificates are the roots that Mozilla trusts, as the Go project publishes them.
func certificates() []byte {
	var b bytes.Buffer
	for r := range bundle.Roots() {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate}) // a buffer takes everything
	}
	return b.Bytes()
}

// static reads a binary, and refuses one that needs libraries: an image has none.
func static(file string) ([]byte, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f, err := elf.NewFile(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s is no program for Linux: %w", file, err)
	}
	libs, err := f.ImportedLibraries()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(libs) > 0 || f.Section(".interp") != nil {
		return nil, fmt.Errorf("%s needs libraries (%s), and an image has none: build it with CGO_ENABLED=0", file, strings.Join(libs, ", "))
	}
	return body, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// config is the image's configuration, as the OCI image specification has it.
func (s *spec) config(diffs []string) ([]byte, error) {
	labels, ports := map[string]string{}, map[string]struct{}{}
	for _, l := range s.labels {
		name, value, _ := strings.Cut(l, "=")
		labels[name] = value
	}
	for _, p := range s.ports {
		ports[p+"/tcp"] = struct{}{}
	}
	return json.Marshal(map[string]any{
		"architecture": s.arch, "os": "linux", "created": s.created.Format(time.RFC3339),
		"config": map[string]any{
			"User": fmt.Sprintf("%d:%d", user, user), "Entrypoint": []string{s.entrypoint}, "WorkingDir": "/",
			"Env": append([]string{"PATH=/" + bin}, s.env...), "Labels": labels, "ExposedPorts": ports,
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
	})
}

// write writes the archive and returns the image's id, which is the digest of its configuration and so of all that is in it.
func (s *spec) write(file string) (id string, err error) {
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := tar.NewWriter(f)
	var diffs, paths []string
	for _, l := range s.layers {
		b, err := l.pack()
		if err != nil {
			return "", err
		}
		sum := digest(b)
		diffs, paths = append(diffs, "sha256:"+sum), append(paths, sum+".tar")
		if err := put(w, sum+".tar", b); err != nil {
			return "", err
		}
	}
	cfg, err := s.config(diffs)
	if err != nil {
		return "", err
	}
	id = digest(cfg)
	manifest, err := json.Marshal([]any{map[string]any{"Config": id + ".json", "RepoTags": []string{s.ref}, "Layers": paths}})
	if err != nil {
		return "", err
	}
	return id, errors.Join(put(w, id+".json", cfg), put(w, "manifest.json", manifest), w.Close())
}

func put(w *tar.Writer, name string, body []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := io.Copy(w, bytes.NewReader(body))
	return err
}
