package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestTheDockerfileMakesTheSameImage compares what two files say of the image: they are read by different programs.
func TestTheDockerfileMakesTheSameImage(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		b, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	docker, makefile := read("deploy/docker/Dockerfile"), read("Makefile")
	for what, from := range map[string][2]string{
		"tags":        {`-tags ([\w,]+)`, `(?m)^TAGS\s*:= ([\w,]+)`},
		"flags":       {`go build (-trimpath -buildvcs=false) `, `GOARCH=\$\(ARCH\) go build (-trimpath -buildvcs=false) `},
		"program":     {`-o /out/tributary (\S+);`, `-o \.\./bin/image/tributary (\S+)`},
		"links":       {`ln -s tributary "/out/(tributary-\$)n"`, `-link (tributary-\$)\$n`},
		"labels":      {`(org\.opencontainers\.image\.[a-z]+)=`, `-label (org\.opencontainers\.image\.[a-z]+)=`},
		"environment": {`(TRIBUTARY_\w+=\S+)`, `-env (TRIBUTARY_\w+=\S+)`},
		"licences":    {`bin/licences (/licences)`, `bin/licences=(/licences)`},
		"entry point": {`ENTRYPOINT \["/usr/local/bin/(\w+)"\]`, `\.\./\.\./bin/image/(\w+)`},
		"ports":       {`EXPOSE (\d+) \d+`, `-ports (\d+),\d+`},
		"admin port":  {`EXPOSE \d+ (\d+)`, `-ports \d+,(\d+)`},
		"data":        {`VOLUME (/\w+)`, `-data (/\w+)`},
	} {
		var have [2][]string
		for i, text := range []string{docker, makefile} {
			for _, m := range regexp.MustCompile(from[i]).FindAllStringSubmatch(text, -1) {
				have[i] = append(have[i], m[1])
			}
			slices.Sort(have[i])
		}
		if len(have[0]) == 0 || !slices.Equal(have[0], have[1]) {
			t.Errorf("%s: the Dockerfile has %q, the Makefile %q", what, have[0], have[1])
		}
	}
	if m := regexp.MustCompile(`(?m)^USER (\d+):(\d+)$`).FindStringSubmatch(docker); m == nil || m[1] != "65532" || m[2] != "65532" {
		t.Errorf("the Dockerfile's user is %v", m)
	}
}
