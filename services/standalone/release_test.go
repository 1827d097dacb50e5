package standalone

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// workflow is what the tests need of a file of .github/workflows.
type workflow struct {
	Jobs map[string]struct {
		Permissions map[string]string
		Steps       []step
	}
}

type step struct {
	ID, Uses, Run string
	With, Env     map[string]string
}

func readWorkflow(t *testing.T, name string) (text string, w workflow) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../.github/workflows", name))
	if err == nil {
		err = yaml.Unmarshal(b, &w)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b), w
}

// TestActionsArePinned: an action is named by its commit, and says which version that is.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("../../.github/workflows")
	if err != nil {
		t.Fatal(err)
	}
	pinned, all := regexp.MustCompile(`uses: [\w./-]+@[0-9a-f]{40} # v\d`), regexp.MustCompile(`\buses:.*`)
	n := 0
	for _, f := range files {
		text, _ := readWorkflow(t, f.Name())
		for _, uses := range all.FindAllString(text, -1) {
			if n++; !pinned.MatchString(uses) {
				t.Errorf("%s: %s", f.Name(), uses)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d actions were found", n)
	}
}

// find returns the only step that is meant.
func find(t *testing.T, steps []step, what string, is func(step) bool) step {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return !is(s) })
	if len(found) != 1 {
		t.Fatalf("%d steps of the release are %s", len(found), what)
	}
	return found[0]
}

// TestTheReleaseSignsWhatTheChartNames: the image that is pushed is the one of the chart's values, and image and chart are signed,
// attested and told apart by their digests alone.
func TestTheReleaseSignsWhatTheChartNames(t *testing.T) {
	t.Parallel()
	var values struct {
		Image struct{ Registry, Repository, Tag string }
	}
	b, err := os.ReadFile("../../charts/tributary/values.yaml")
	if err == nil {
		err = yaml.Unmarshal(b, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	repository := values.Image.Registry + "/" + values.Image.Repository
	_, w := readWorkflow(t, "release.yml")
	job := w.Jobs["release"]
	for _, scope := range []string{"contents", "packages", "id-token", "attestations"} {
		if job.Permissions[scope] != "write" {
			t.Errorf("the release may not write %s", scope)
		}
	}

	image := find(t, job.Steps, "the build of the image", func(s step) bool { return strings.HasPrefix(s.Uses, "docker/build-push-action@") })
	for key, want := range map[string]string{
		"file": "deploy/docker/Dockerfile", "push": "true", "sbom": "true", "provenance": "mode=max", "tags": repository + ":${{ github.ref_name }}",
	} {
		if image.With[key] != want {
			t.Errorf("the image's %s is %q, want %q", key, image.With[key], want)
		}
	}
	docker, err := os.ReadFile("../../deploy/docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range regexp.MustCompile(`\b(VERSION|REVISION)=`).FindAllStringSubmatch(string(docker), -1) {
		if !strings.Contains(image.With["build-args"], arg[0]+"${{ github.") {
			t.Errorf("the Dockerfile's %s is given nothing", arg[1])
		}
	}

	chart := find(t, job.Steps, "the push of the chart", func(s step) bool { return strings.Contains(s.Run, "helm push") })
	to := regexp.MustCompile(`oci://(\S+)`).FindStringSubmatch(chart.Run)
	if to == nil || !strings.Contains(chart.Run, `dist/tributary-${GITHUB_REF_NAME#v}.tgz`) {
		t.Fatalf("the chart is pushed by %s", chart.Run)
	}
	find(t, job.Steps, "the packing of the chart", func(s step) bool { return strings.Contains(s.Run, `make chart-package VERSION="$GITHUB_REF_NAME"`) })
	digests := map[string]string{
		repository:                "${{ steps." + image.ID + ".outputs.digest }}",
		to[1] + "/" + "tributary": "${{ steps." + chart.ID + ".outputs.digest }}",
	}

	signed := map[string]bool{}
	for _, s := range job.Steps {
		for _, m := range regexp.MustCompile(`(?m)^\s*cosign (sign|attest) .*"\$(\w+)"$`).FindAllStringSubmatch(s.Run, -1) {
			name, digest, _ := strings.Cut(s.Env[m[2]], "@")
			if digests[name] == "" || digest != digests[name] {
				t.Errorf("cosign %s takes %q", m[1], s.Env[m[2]])
			}
			signed[m[1]+" "+name] = true
		}
		if strings.Count(s.Run, "cosign sign ")+strings.Count(s.Run, "cosign attest ") != len(regexp.MustCompile(`cosign (sign|attest) .*"\$\w+"`).FindAllString(s.Run, -1)) {
			t.Errorf("something else than a digest is signed: %s", s.Run)
		}
		if name := s.With["subject-name"]; name != "" {
			if s.With["subject-digest"] != digests[name] || s.With["push-to-registry"] != "true" {
				t.Errorf("provenance of %s: %v", name, s.With)
			}
			signed["provenance "+name] = true
		}
	}
	for _, want := range []string{"sign " + repository, "attest " + repository, "provenance " + repository, "sign " + to[1] + "/tributary", "provenance " + to[1] + "/tributary"} {
		if !signed[want] {
			t.Errorf("nobody does: %s", want)
		}
	}
}

// TestReleasesArePackedAsTheChartSays: without a tag of its own the chart names the image of its appVersion, which packing sets.
func TestReleasesArePackedAsTheChartSays(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(makefile), "helm package ../tributary --version $(VERSION:v%=%) --app-version $(VERSION) ") {
		t.Error("the chart is not packed under the version of the tag")
	}
	var chart struct {
		Version    string
		AppVersion string `yaml:"appVersion"`
	}
	b, err := os.ReadFile("../../charts/tributary/Chart.yaml")
	if err == nil {
		err = yaml.Unmarshal(b, &chart)
	}
	if err != nil || chart.AppVersion != "v"+chart.Version {
		t.Errorf("Chart.yaml is version %s of %s: %v", chart.Version, chart.AppVersion, err)
	}
}
