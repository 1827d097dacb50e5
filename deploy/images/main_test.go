package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// program builds a static program and returns its path.
func program(t *testing.T, dir, name string) string {
	t.Helper()
	src := filepath.Join(dir, name+".go")
	if err := os.WriteFile(src, []byte("package main\n\nfunc main() { println(\""+name+"\") }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, name)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", out, src)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

// files reads an archive in an archive: the headers by name, the bodies of regular files.
func files(t *testing.T, r io.Reader) (map[string]*tar.Header, map[string][]byte) {
	t.Helper()
	headers, bodies := map[string]*tar.Header{}, map[string][]byte{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return headers, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		headers[h.Name], bodies[h.Name] = h, b
	}
}

func build(t *testing.T, out string, more ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := run(append([]string{"-ref", "localhost/t:1", "-out", out}, more...), &b); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(b.String())[1]
}

// image is what the manifest of an archive leads to.
type image struct {
	Architecture, OS, Created string
	Config                    struct {
		User            string
		Entrypoint, Env []string
		Labels          map[string]string
		ExposedPorts    map[string]any
	}
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	}
}

func TestAnImageHasTheBinariesAndWhatTheyNeed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := program(t, dir, "one"), program(t, dir, "two")
	texts := filepath.Join(dir, "texts", "deep")
	if err := os.MkdirAll(texts, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(texts, "LICENSE"), []byte("free"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "i.tar")
	id := build(t, out, "-entrypoint", "two", "-link", "three", "-data", "/data", "-files", filepath.Dir(texts)+"=/licences", "-ports", "8080,9090",
		"-label", "org.opencontainers.image.version=v1", "-env", "A=b", "-created", "1700000000", a, b)
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, outer := files(t, f)
	var img image
	name := strings.TrimPrefix(id, "sha256:") + ".json"
	if err := json.Unmarshal(outer[name], &img); err != nil || "sha256:"+digest(outer[name]) != id {
		t.Fatalf("%v: %s", err, outer[name])
	}
	c := img.Config
	if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/usr/local/bin/two"}) || !slices.Contains(c.Env, "A=b") ||
		c.Labels["org.opencontainers.image.version"] != "v1" || c.ExposedPorts["8080/tcp"] == nil || img.Created != "2023-11-14T22:13:20Z" {
		t.Errorf("%+v", img)
	}
	headers, bodies := map[string]*tar.Header{}, map[string][]byte{}
	for _, diff := range img.RootFS.DiffIDs {
		layer := outer[strings.TrimPrefix(diff, "sha256:")+".tar"]
		if "sha256:"+digest(layer) != diff {
			t.Errorf("a layer is not what %s says", diff)
		}
		h, b := files(t, bytes.NewReader(layer))
		for n := range h {
			headers[n], bodies[n] = h[n], b[n]
		}
	}
	for n, want := range map[string]int64{"usr/local/bin/one": 0o755, "usr/local/bin/two": 0o755, "licences/deep/LICENSE": 0o644, "data/": 0o700, "tmp/": 0o1777} {
		if h := headers[n]; h == nil || h.Mode != want || !h.ModTime.IsZero() && h.ModTime.Unix() != 0 {
			t.Errorf("%s: %+v", n, h)
		}
	}
	if h := headers["usr/local/bin/three"]; h == nil || h.Typeflag != tar.TypeSymlink || h.Linkname != "two" {
		t.Errorf("the link is %+v", h)
	}
	if headers["data/"].Uid != 65532 || headers["usr/local/bin/one"].Uid != 0 {
		t.Error("owners are wrong")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(bodies["etc/ssl/certs/ca-certificates.crt"]) || bytes.Count(bodies["etc/ssl/certs/ca-certificates.crt"], []byte("BEGIN")) < 100 {
		t.Error("there are no root certificates")
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := program(t, dir, "one"), program(t, dir, "two")
	first, second := filepath.Join(dir, "1.tar"), filepath.Join(dir, "2.tar")
	one := build(t, first, "-entrypoint", "one", a, b)
	if two := build(t, second, "-entrypoint", "one", b, a); one != two {
		t.Errorf("%s and %s", one, two)
	}
	x, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(second)
	if err != nil || !bytes.Equal(x, y) {
		t.Errorf("the archives differ (%v)", err)
	}
	if other := build(t, second, "-entrypoint", "two", a, b); other == one {
		t.Error("another image has the same id")
	}
}

func TestWhatNoImageCanBeMadeOfIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := program(t, dir, "one")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no binary":            {nil, "at least one binary"},
		"a script":             {[]string{text}, "no program for Linux"},
		"no such entry point":  {[]string{"-entrypoint", "other", good}, `"other" is none of the binaries`},
		"a link with a path":   {[]string{"-link", "../x", good}, "no name of a program"},
		"a label without name": {[]string{"-label", "=x", good}, "not name=value"},
		"files without target": {[]string{"-files", dir, good}, "not folder=/target"},
	} {
		err := run(append([]string{"-ref", "a:1", "-out", filepath.Join(dir, "o.tar")}, c.args...), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestADynamicBinaryIsRefused takes the shell of this machine, which needs libraries.
func TestADynamicBinaryIsRefused(t *testing.T) {
	t.Parallel()
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Skip("this machine has no /bin/sh")
	}
	if _, err := static(sh); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") && !strings.Contains(err.Error(), "no program for Linux") {
		t.Errorf("%v", err)
	}
}
