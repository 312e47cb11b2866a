package deploy

import (
	"fmt"
	"strings"
	"testing"

	"tocsin/detect"
)

// lockSeeds begin the fuzzing of each lockfile: a small one of its kind, and
// what is like another's.
var lockSeeds = map[string]string{
	"package-lock.json":   `{"packages":{"":{"dependencies":{"a":"1"}},"node_modules/a":{"version":"1"}}}`,
	"npm-shrinkwrap.json": `{"dependencies":{"a":{"version":"1","dependencies":{"b":null}}}}`,
	"yarn.lock":           "\"@s/a@npm:b@^1\":\n  version: 1.0.3\n",
	"pnpm-lock.yaml":      "importers:\n  .:\n    dependencies:\n      a:\n        version: 1\npackages:\n  '@s/b@2.0.0(x@1)':\n    dev: true\n",
	"bun.lock":            `{"workspaces":{"":{"dependencies":{"a":"1",},}},"packages":{"a":["a@1.0.0","\",]",],}}`,
	"go.mod":              "module x\ngo 1.26\nrequire a.example/b v1.2.3\nreplace a.example/b => ../b\n",
	"go.sum":              "a.example/b v1.2.3 h1:xx=\n",
	"requirements.txt":    "a[b]==1.0 ; python_version > '3'\n",
	"poetry.lock":         "[[package]]\nname=\"a\"\nversion=\"1\"\n[package.dependencies]\nb=\"1\"\n",
	"uv.lock":             "[[package]]\nname=\"a\"\nversion=\"1\"\nsource={virtual=\".\"}\ndependencies=[{name=\"b\"},1]\n",
	"Pipfile.lock":        `{"default":{"a":{"version":"==1"}}}`,
	"Gemfile.lock":        "GEM\n  specs:\n    a (1)\nDEPENDENCIES\n  a!\n",
	"Cargo.lock":          "[[package]]\nname=\"a\"\nversion=\"1\"\ndependencies=[\"b 1\"]\n",
	"composer.lock":       `{"packages":[{"name":"a/b","version":"1"}]}`,
	"packages.lock.json":  `{"dependencies":{"net8.0":{"A":{"type":"Direct","resolved":"1"}}}}`,
}

// fuzzLock reads whatever a lockfile of a name may hold: it ends, names no
// package without a name, and lists none twice.
func fuzzLock(f *testing.F, name string) {
	for _, s := range lockSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseLockfile(name, data)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, p := range list {
			if len(p.Name) > maxName || seen[p.Name+"\x00"+p.Version] {
				t.Errorf("package %q is too long, or there twice", p.Name)
			}
			seen[p.Name+"\x00"+p.Version] = true
		}
		if n := len(detect.Diff(list, list)); n != 0 {
			t.Errorf("%d changes from itself to itself", n)
		}
	})
}

func FuzzPackageLock(f *testing.F)  { fuzzLock(f, "package-lock.json") }
func FuzzPackageLock1(f *testing.F) { fuzzLock(f, "npm-shrinkwrap.json") }
func FuzzYarn(f *testing.F)         { fuzzLock(f, "yarn.lock") }
func FuzzPnpm(f *testing.F)         { fuzzLock(f, "pnpm-lock.yaml") }
func FuzzBun(f *testing.F)          { fuzzLock(f, "bun.lock") }
func FuzzGoMod(f *testing.F)        { fuzzLock(f, "go.mod") }
func FuzzGoSum(f *testing.F)        { fuzzLock(f, "go.sum") }
func FuzzRequirements(f *testing.F) { fuzzLock(f, "requirements.txt") }
func FuzzPoetry(f *testing.F)       { fuzzLock(f, "poetry.lock") }
func FuzzUv(f *testing.F)           { fuzzLock(f, "uv.lock") }
func FuzzPipfile(f *testing.F)      { fuzzLock(f, "Pipfile.lock") }
func FuzzGemfile(f *testing.F)      { fuzzLock(f, "Gemfile.lock") }
func FuzzCargo(f *testing.F)        { fuzzLock(f, "Cargo.lock") }
func FuzzComposer(f *testing.F)     { fuzzLock(f, "composer.lock") }
func FuzzNuGet(f *testing.F)        { fuzzLock(f, "packages.lock.json") }

// TestALockfileIsBounded in bytes and in packages.
func TestALockfileIsBounded(t *testing.T) {
	if _, err := ParseLockfile("go.sum", make([]byte, maxLockfile+1)); err == nil || !strings.Contains(err.Error(), "larger than 20 MB") {
		t.Errorf("too many bytes: %v", err)
	}
	var b strings.Builder
	for n := range maxPackages + 2 {
		fmt.Fprintf(&b, "p%d@1:\n  version \"1\"\n", n)
	}
	if _, err := ParseLockfile("yarn.lock", []byte(b.String())); err == nil || !strings.Contains(err.Error(), "100000 packages") {
		t.Errorf("too many packages: %v", err)
	}
	deep := strings.Repeat(`{"dependencies":{"a":`, 5000) + "{}" + strings.Repeat("}}", 5000)
	if _, err := ParseLockfile("npm-shrinkwrap.json", []byte(deep)); err == nil {
		t.Error("a lockfile nested without an end was taken")
	}
}

// large is a lockfile of 30,000 packages, every hundredth in another version.
func large(version int) []byte {
	var text strings.Builder
	text.WriteString(`{"lockfileVersion":3,"packages":{"":{}`)
	for n := range 30_000 {
		minor := n % 50
		if n%100 == 0 {
			minor += version
		}
		fmt.Fprintf(&text, `,"node_modules/package-%d":{"version":"1.%d.0","resolved":"https://example.com/package-%d.tgz","integrity":"sha512-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}`, n, minor, n)
	}
	text.WriteString("}}")
	return []byte(text.String())
}

// BenchmarkDiff compares the packages of two deployments of 30,000 and ranks
// what changed.
func BenchmarkDiff(b *testing.B) {
	before, err := ParseLockfile("package-lock.json", large(0))
	if err != nil {
		b.Fatal(err)
	}
	after, err := ParseLockfile("package-lock.json", large(1))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n := len(detect.RankChanges(detect.Diff(before, after), []string{"login"}, nil)); n != 300 {
			b.Fatal(n)
		}
	}
}

// BenchmarkPackageLock reads one of 30,000.
func BenchmarkPackageLock(b *testing.B) {
	data := large(0)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := ParseLockfile("package-lock.json", data); err != nil {
			b.Fatal(err)
		}
	}
}
