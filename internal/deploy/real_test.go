package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/detect"
)

// real reads a lockfile that a package manager wrote for the same small
// application: express, jsonwebtoken and five more, prettier for development.
func real(t testing.TB, dir string) []detect.Package {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "real", dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v, %v", dir, files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseLockfile(files[0], data)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestPackageManagersAgree: what npm, Yarn, pnpm and Bun wrote of one project,
// in every version of their lockfiles, is the same packages. Two versions may
// differ: each resolves a range in its own way.
func TestPackageManagersAgree(t *testing.T) {
	set := func(list []detect.Package) map[string]bool {
		m := map[string]bool{}
		for _, p := range list {
			m[p.Name+" "+p.Version] = true
		}
		return m
	}
	want := set(real(t, "npm3"))
	if len(want) < 100 {
		t.Fatalf("npm's lockfile has %d packages", len(want))
	}
	for _, dir := range []string{"npm1", "npm2", "yarn1", "yarn4", "pnpm8", "pnpm9", "bun"} {
		list := real(t, dir)
		got := set(list)
		var differ []string
		for k := range want {
			if !got[k] {
				differ = append(differ, "-"+k)
			}
		}
		for k := range got {
			if !want[k] {
				differ = append(differ, "+"+k)
			}
		}
		if len(differ) > 2 || len(names(list)) != len(names(real(t, "npm3"))) {
			t.Errorf("%s: %s", dir, strings.Join(differ, ", "))
		}
		for _, p := range list {
			// Yarn and npm's first version do not say what is direct.
			knows := !strings.HasPrefix(dir, "yarn") && dir != "npm1"
			switch p.Name {
			case "jsonwebtoken":
				if knows && (!p.Direct || p.Dev) {
					t.Errorf("%s: %+v", dir, p)
				}
			case "prettier":
				if knows && !p.Direct || !p.Dev && !strings.HasPrefix(dir, "yarn") {
					t.Errorf("%s: %+v", dir, p)
				}
			case "jws":
				if p.Direct || p.Dev {
					t.Errorf("%s: %+v", dir, p)
				}
			}
		}
	}
}

func names(list []detect.Package) map[string]bool {
	m := map[string]bool{}
	for _, p := range list {
		m[p.Name] = true
	}
	return m
}

// TestTheMorningsLockfilesNameTheCulpritFirst: of a real pair, in which express
// and what it needs changed too, jsonwebtoken comes first for login, and what
// stripe changed for payments.
func TestTheMorningsLockfilesNameTheCulpritFirst(t *testing.T) {
	changes := detect.Diff(real(t, "npm3"), real(t, "npm3-after"))
	if len(changes) < 10 {
		t.Fatalf("only %d packages changed", len(changes))
	}
	for kind, want := range map[string]string{"login": "jsonwebtoken 9.0.2 -> 8.5.1 (downgraded)", "payment": "stripe 15.4.0 -> 15.12.0 (upgraded)"} {
		if top := detect.RankChanges(changes, []string{kind}, nil)[0].String(); top != want {
			t.Errorf("for %s the first change is %s, want %s", kind, top, want)
		}
	}
	if top := detect.RankChanges(changes, []string{"payment"}, []string{"jsonwebtoken"})[0]; top.Name != "jsonwebtoken" {
		t.Errorf("a watched package comes after %s", top.Name)
	}
}

// TestOurOwnModules reads this module's go.mod and go.sum.
func TestOurOwnModules(t *testing.T) {
	for _, file := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		list, err := ParseLockfile(file, data)
		found := false
		for _, p := range list {
			found = found || p.Name == "go.etcd.io/bbolt" && strings.HasPrefix(p.Version, "v1.") && p.Direct == (file == "go.mod")
		}
		if err != nil || !found || len(list) < 20 {
			t.Errorf("%s: %d packages, %v", file, len(list), err)
		}
	}
}
