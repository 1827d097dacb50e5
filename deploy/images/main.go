// Command images puts static binaries that were built on this machine into container images, without a container engine and without
// a network: archives as `docker save` writes them, which docker, podman, containerd, kind and skopeo load.
//
//	images -ref tributary:dev -out tributary.tar -link tributary-inbox -data /data bin/image/tributary
//
// An image has nothing but the binaries (in /usr/local/bin), the root certificates that Go's own pinned module has, the files of
// -files, and empty folders. It runs as 65532:65532. The same input gives the same bytes: files have no times, and their order is
// that of their names.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	err := run(os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// pairs is a flag that may be repeated: name=value.
type pairs []string

// String implements flag.Value.
func (p *pairs) String() string { return strings.Join(*p, " ") }

// Set implements flag.Value.
func (p *pairs) Set(text string) error {
	if name, _, ok := strings.Cut(text, "="); !ok || name == "" {
		return fmt.Errorf("%q is not name=value", text)
	}
	*p = append(*p, text)
	return nil
}

// names is a flag that may be repeated.
type names []string

// String implements flag.Value.
func (n *names) String() string { return strings.Join(*n, " ") }

// Set implements flag.Value.
func (n *names) Set(text string) error {
	if text == "" || strings.Contains(text, "/") {
		return fmt.Errorf("%q is no name of a program", text)
	}
	*n = append(*n, text)
	return nil
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("images", flag.ContinueOnError)
	var labels, env pairs
	var s spec
	fs.StringVar(&s.ref, "ref", "", "name and tag of the image")
	file := fs.String("out", "", "archive to write")
	entry := fs.String("entrypoint", "", "name of the binary that starts; empty: the only one")
	arch := fs.String("arch", "amd64", "architecture that the binaries were built for")
	roots := fs.Bool("roots", true, "put the root certificates in")
	files := fs.String("files", "", "folder whose files go into the image as <target>: folder=/target")
	data := fs.String("data", "", "empty folder that only the image's user may read")
	ports := fs.String("ports", "", "ports that the image's programs listen on, separated by commas")
	created := fs.Int64("created", 0, "time of the image in seconds since 1970: that of the commit")
	var links names
	fs.Var(&links, "link", "another name of the binary that starts, may be repeated")
	fs.Var(&labels, "label", "name=value, may be repeated")
	fs.Var(&env, "env", "name=value, may be repeated")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if s.ref == "" || *file == "" || fs.NArg() == 0 {
		return errors.New("want -ref, -out and at least one binary")
	}
	s.arch, s.labels, s.env, s.created = *arch, labels, env, time.Unix(*created, 0).UTC()
	if *ports != "" {
		s.ports = strings.Split(*ports, ",")
	}
	if err := s.fill(fs.Args(), content{entry: *entry, files: *files, data: *data, roots: *roots, links: links}); err != nil {
		return err
	}
	id, err := s.write(*file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s sha256:%s %s\n", s.ref, id, *file)
	return err
}

// content is what goes into an image beside the binaries.
type content struct {
	entry, files, data string
	roots              bool
	links              []string
}

// fill makes the layers: one for what seldom changes, one for each binary, one for its other names.
func (s *spec) fill(binaries []string, c content) error {
	base, err := c.base()
	if err != nil {
		return err
	}
	s.layers = append(s.layers, base)
	binaries = slices.Clone(binaries)
	slices.Sort(binaries)
	if c.entry == "" && len(binaries) == 1 {
		c.entry = filepath.Base(binaries[0])
	}
	if !slices.ContainsFunc(binaries, func(b string) bool { return filepath.Base(b) == c.entry }) {
		return fmt.Errorf("-entrypoint: %q is none of the binaries", c.entry)
	}
	s.entrypoint = "/" + path.Join(bin, c.entry)
	for _, b := range binaries {
		body, err := static(b)
		if err != nil {
			return err
		}
		l := &layer{}
		l.file(path.Join(bin, filepath.Base(b)), 0o755, body)
		s.layers = append(s.layers, l)
	}
	if len(c.links) > 0 {
		l := &layer{}
		for _, name := range c.links {
			l.link(path.Join(bin, name), c.entry)
		}
		s.layers = append(s.layers, l)
	}
	return nil
}

func (c content) base() (*layer, error) {
	l := &layer{}
	if c.roots {
		l.file("etc/ssl/certs/ca-certificates.crt", 0o644, certificates())
	}
	l.file("etc/passwd", 0o644, []byte("nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"))
	l.file("etc/group", 0o644, []byte("nonroot:x:65532:\n"))
	l.folder("tmp", 0o1777, 0)
	if c.data != "" {
		l.folder(strings.Trim(c.data, "/"), 0o700, user)
	}
	if c.files == "" {
		return l, nil
	}
	from, to, ok := strings.Cut(c.files, "=")
	if !ok {
		return nil, fmt.Errorf("-files: %q is not folder=/target", c.files)
	}
	return l, l.tree(from, strings.Trim(to, "/"))
}
