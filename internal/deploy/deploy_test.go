package deploy

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/detect"
	"tocsin/store"
)

var now = time.Date(2026, 11, 24, 9, 40, 0, 0, time.UTC)

func recorder(t testing.TB) *Recorder {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "t.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(context.Background()); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return &Recorder{Store: s, Now: func() time.Time { return now }, Environments: []string{"production", "live", "shop-*"}}
}

func TestParse(t *testing.T) {
	r, err := Parse([]byte(`{"service":" web\u202e ","version":"2.4.0","environment":"live","time":"2026-11-24T09:30:00+01:00","commit":"abc","url":"javascript:alert(1)","actor":"anna","new":1,
		"lockfile":{"name":"requirements.txt","content":"Django==5.0\n"}}`), now)
	if err != nil || r.Service != "web" || r.Link != "" || !r.At.Equal(now.Add(-70*time.Minute)) || len(r.Packages) != 1 || r.Packages[0].Name != "django" {
		t.Errorf("%+v, %v", r, err)
	}
	for body, want := range map[string]string{
		``: "not valid JSON", `{"service":"web"}`: "no version", `{"version":"1"}`: "no service", `{"service":3,"version":"1"}`: `"service" is a number`,
		`{"service":"web","version":"1","kind":"magic"}`: "kind", `{"service":"web","version":"1","time":"yesterday"}`: "time", `{"service":"web","version":"1","time":"2036-01-01T00:00:00Z"}`: "future",
		`{"service":"web","version":"1","time":"2026-11-24T10:06:00Z"}`: "future", `[]`: "should be an object",
		`{"service":"web","version":"1","lockfile":{"name":"x.lock","content":"y"}}`: "no lockfile that is known", `{"service":"web","version":"1","lockfile":{"name":"package-lock.json","content":"{"}}`: "package-lock.json",
	} {
		if _, err := Parse([]byte(body), now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s): %v, want %q", body, err, want)
		}
	}
}

func TestParseOutcomes(t *testing.T) {
	l, err := ParseOutcomes([]byte(`[{"service":"web","action":"Login","time":"2026-11-24T09:30:31Z","succeeded":41,"failed":3}]`), now)
	if err != nil || len(l) != 1 || l[0].Action != "login" || l[0].At.Second() != 0 || l[0].Failed != 3 {
		t.Errorf("%+v, %v", l, err)
	}
	for _, bad := range []string{`{}`, `[{"action":"x"}]`, `{"action":"x","succeeded":-1,"failed":0}`, `{"action":"x","succeeded":1,"failed":1,"time":"x"}`, `{"action":"x","succeeded":1,"failed":1,"time":"2026-11-24T09:46:00Z"}`, `x`} {
		if _, err := ParseOutcomes([]byte(bad), now); err == nil {
			t.Errorf("ParseOutcomes(%s) took it", bad)
		}
	}
}

// TestADeploymentIsRecordedOnce: with its changes against the one before, and a
// roll-back recognised.
func TestADeploymentIsRecordedOnce(t *testing.T) {
	r := recorder(t)
	told := 0
	r.Recorded = func() { told++ }
	deploy := func(version string, at time.Duration, lock string) detect.Deployment {
		t.Helper()
		packages, err := ParseLockfile("package-lock.json", lockOf(t, lock))
		if err != nil {
			t.Fatal(err)
		}
		req := Request{detect.Deployment{Service: "web", Version: version, Environment: "live", At: now.Add(at)}, packages}
		d, added, err := r.Record(t.Context(), req)
		if err != nil || !added {
			t.Fatalf("%s: added %v, %v", version, added, err)
		}
		if again, added, err := r.Record(t.Context(), req); err != nil || added || again.ID != d.ID {
			t.Errorf("%s again: added %v, %v", version, added, err)
		}
		return d
	}
	a := deploy("2.3.9", 0, "before")
	b := deploy("2.4.0", 0, "after") // in the same second
	c := deploy("2.3.9", 2*time.Hour, "before")
	if len(a.Changes) != 0 || a.Rollback || b.Rollback || !c.Rollback {
		t.Errorf("roll-backs: %v %v %v, first changes %v", a.Rollback, b.Rollback, c.Rollback, a.Changes)
	}
	if top := detect.RankChanges(b.Changes, []string{"login"}, nil)[0].String(); top != "jsonwebtoken 9.0.2 -> 8.5.1 (downgraded)" {
		t.Errorf("the first change is %s", top)
	}
	if told != 3 || !strings.HasPrefix(b.Environment, "prod") {
		t.Errorf("told %d times, environment %q", told, b.Environment)
	}
}

func lockOf(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "demo", "lock", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const secret = "It's a Secret to Everybody"

func sum(h func() hash.Hash, key, body string) []byte {
	m := hmac.New(h, []byte(key))
	io.WriteString(m, body)
	return m.Sum(nil)
}

// sign gives the headers of an authentic webhook.
func sign(hook, body string, at time.Time) map[string]string {
	switch hook {
	case "github":
		return map[string]string{"X-GitHub-Event": "deployment_status", "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(sum(sha256.New, secret, body))}
	case "gitlab":
		return map[string]string{"X-Gitlab-Token": secret}
	case "vercel":
		return map[string]string{"X-Vercel-Signature": hex.EncodeToString(sum(sha1.New, secret, body))}
	case "heroku":
		return map[string]string{"Heroku-Webhook-Hmac-SHA256": base64.StdEncoding.EncodeToString(sum(sha256.New, secret, body))}
	case "cdevents":
		return map[string]string{"Authorization": "Bearer " + secret}
	}
	stamp := fmt.Sprint(at.Unix())
	return map[string]string{"Webhook-Id": "msg_1", "Webhook-Timestamp": stamp, "Webhook-Signature": "v1,xxxx v1," + base64.StdEncoding.EncodeToString(sum(sha256.New, secret, "msg_1."+stamp+"."+body))}
}

// bodies are what each sender tells of a deployment to production.
var bodies = map[string]string{
	"github": `{"deployment_status":{"state":"success","environment":"production","created_at":"2026-11-24T09:39:00Z","target_url":"https://x.example"},
		"deployment":{"id":42,"sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","ref":"v2.4.0","payload":"{\"service\":\"web\"}"},"repository":{"full_name":"acme/shop"},"sender":{"login":"anna"}}`,
	"gitlab": `{"object_kind":"deployment","status":"success","status_changed_at":"2026-11-24 10:39:00 +0100","deployment_id":15,"deployable_url":null,"environment":"prod-eu","environment_tier":"production",
		"project":{"path_with_namespace":"acme/web"},"short_sha":"f95f852b","ref":"v2.4.0","commit_url":"https://g.example/acme/web/-/commit/f95f852bd8fca8fcc58a9a2d6c842781e32a215e","user":{"username":"anna"}}`,
	"vercel": `{"type":"deployment.succeeded","id":"e1","createdAt":1795513140000,"payload":{"target":"production","deployment":{"id":"dpl_1","name":"web","url":"web-1.vercel.app","meta":{"githubCommitSha":"2.4.0"}},"project":{"id":"p"}}}`,
	"heroku": `{"resource":"release","action":"update","actor":{"email":"anna@example.com"},"data":{"id":"x","status":"succeeded","version":240,"description":"Deploy 2.4.0","updated_at":"2026-11-24T09:39:00Z","app":{"name":"web"}}}`,
	"cdevents": `{"specversion":"1.0","type":"dev.cdevents.service.deployed.0.2.0","data":{"context":{"version":"0.4.1","id":"271069a8","type":"dev.cdevents.service.deployed.0.2.0","source":"/ci","timestamp":"2026-11-24T09:39:00Z"},
		"subject":{"id":"acme/web","content":{"environment":{"id":"production"},"artifactId":"pkg:oci/web@sha256%3A0b31?tag=2.4.0"}}}}`,
	"generic": `{"service":"web","sha":"2.4.0","environment":"production","time":"2026-11-24T09:39:00Z"}`,
}

func call(h http.Handler, hook, body string, headers map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hooks/"+hook, strings.NewReader(body))
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestHooks: each sender's deployment is recorded once; forged, stale,
// oversized and malformed ones are refused and change nothing.
func TestHooks(t *testing.T) {
	for hook, body := range bodies {
		t.Run(hook, func(t *testing.T) {
			rec := recorder(t)
			var log bytes.Buffer
			h := Hooks(rec, Secrets{secret, secret, secret, secret, secret, secret, nil}, slog.New(slog.NewTextHandler(&log, nil)))
			count := func() int {
				l, err := rec.Store.Deployments(time.Time{}, time.Time{})
				if err != nil {
					t.Fatal(err)
				}
				return len(l)
			}
			forged := sign(hook, body, time.Now())
			for k, v := range forged {
				if k != "X-GitHub-Event" && k != "Webhook-Timestamp" && k != "Webhook-Id" {
					forged[k] = strings.ToLower(v[:len(v)-2]) + "xx"
				}
			}
			for what, c := range map[string]struct {
				body    string
				headers map[string]string
				want    int
			}{
				"forged":      {body, forged, http.StatusUnauthorized},
				"unsigned":    {body, nil, http.StatusUnauthorized},
				"malformed":   {"{", sign(hook, "{", time.Now()), http.StatusBadRequest},
				"of no shape": {`{"x":1}`, sign(hook, `{"x":1}`, time.Now()), 0},
				"oversized":   {strings.Repeat(" ", maxHook+1), nil, http.StatusRequestEntityTooLarge},
			} {
				w := call(h, hook, c.body, c.headers)
				if c.want != 0 && w.Code != c.want || c.want == 0 && w.Code != http.StatusBadRequest && w.Code != http.StatusAccepted {
					t.Errorf("%s: %d %s", what, w.Code, w.Body)
				}
			}
			if n := count(); n != 0 {
				t.Fatalf("%d deployments were recorded", n)
			}
			if !strings.Contains(log.String(), "webhook was refused") {
				t.Error("the log does not say that a webhook was refused")
			}
			if w := call(h, hook, body, sign(hook, body, time.Now())); w.Code != http.StatusCreated {
				t.Fatalf("authentic: %d %s", w.Code, w.Body)
			}
			if w := call(h, hook, body, sign(hook, body, time.Now())); w.Code != http.StatusOK {
				t.Errorf("once more: %d %s", w.Code, w.Body)
			}
			l, _ := rec.Store.Deployments(time.Time{}, time.Time{})
			if len(l) != 1 {
				t.Fatalf("%d deployments were recorded", len(l))
			}
			if d := l[0]; d.Service != "web" || d.Version != "2.4.0" && d.Version != "v2.4.0" && d.Version != "v240" || d.Environment != "production" || !d.At.Equal(now.Add(-time.Minute)) || d.Source != hook {
				t.Errorf("recorded %+v", d)
			}
		})
	}
	rec := recorder(t)
	h := Hooks(rec, Secrets{Generic: secret}, nil)
	if w := call(h, "github", bodies["github"], sign("github", bodies["github"], time.Now())); w.Code != http.StatusNotFound {
		t.Errorf("a hook without a secret: %d", w.Code)
	}
	if w := call(h, "generic", bodies["generic"], sign("generic", bodies["generic"], time.Now().Add(-time.Hour))); w.Code != http.StatusUnauthorized {
		t.Errorf("a stale one: %d", w.Code)
	}
}

// TestWhatIsToldTwiceIsOneDeployment, by whatever door and under whatever id; and
// one that tells no time is known by its delivery.
func TestWhatIsToldTwiceIsOneDeployment(t *testing.T) {
	rec := recorder(t)
	h := Hooks(rec, Secrets{Generic: secret}, nil)
	timed := `{"service":"web","version":"2.4.0","time":"2026-11-24T09:38:20Z"}`
	untimed := `{"service":"web","version":"2.4.1"}`
	post := func(body, id string, want int) {
		t.Helper()
		m := hmac.New(sha256.New, []byte(secret))
		stamp := fmt.Sprint(time.Now().Unix())
		fmt.Fprintf(m, "%s.%s.%s", id, stamp, body)
		w := call(h, "generic", body, map[string]string{"Webhook-Id": id, "Webhook-Timestamp": stamp, "Webhook-Signature": "v1,AAAA v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))})
		if w.Code != want {
			t.Errorf("%s %s: %d %s, want %d", id, body, w.Code, w.Body, want)
		}
	}
	post(timed, "msg_1", http.StatusCreated)
	post(timed, "msg_2", http.StatusOK)
	post(strings.Replace(timed, ":20Z", ":50Z", 1), "msg_3", http.StatusOK)
	post(untimed, "msg_4", http.StatusCreated)
	h = Hooks(rec, Secrets{Generic: secret}, nil) // a restart forgets which deliveries it took
	rec.Now = func() time.Time { return now.Add(3 * time.Minute) }
	post(untimed, "msg_4", http.StatusOK)
	if l, _ := rec.Store.Deployments(time.Time{}, time.Time{}); len(l) != 2 {
		t.Errorf("%d deployments were recorded, want 2", len(l))
	}
}

// TestForgeriesDoNotFillTheLog: the first is logged, and how many more.
func TestForgeriesDoNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	h := Hooks(recorder(t), Secrets{GitHub: secret}, slog.New(slog.NewTextHandler(&log, nil)))
	for range 1000 {
		call(h, "github", "{}", map[string]string{"X-Hub-Signature-256": "sha256=00"})
	}
	call(h, "github", strings.Repeat(" ", maxHook+1), nil)
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("the log has %d lines of 1001 refusals of two kinds:\n%.500s", n, log.String())
	}
}

// TestASlowSenderStopsNobody: bodies that never end, from as many as may send
// large ones at a time, do not keep a small one waiting.
func TestASlowSenderStopsNobody(t *testing.T) {
	srv := httptest.NewServer(Hooks(recorder(t), Secrets{Generic: secret}, nil))
	defer srv.Close()
	for range 3 * hookSlots {
		r, w := io.Pipe()
		defer w.Close()
		req, _ := http.NewRequest("POST", srv.URL+"/hooks/generic", r)
		go func() {
			if resp, err := srv.Client().Do(req); err == nil {
				resp.Body.Close()
			}
		}()
		io.WriteString(w, "{")
	}
	req, _ := http.NewRequest("POST", srv.URL+"/hooks/generic", strings.NewReader(bodies["generic"]))
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := srv.Client().Do(req)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Errorf("%+v, %v", resp, err)
	}
	srv.CloseClientConnections()
}

// TestOtherEnvironmentsAreNotSuspected, whatever they are called.
func TestOtherEnvironmentsAreNotSuspected(t *testing.T) {
	r := recorder(t)
	for env, elsewhere := range map[string]bool{"": false, "production": false, "live": false, "shop-eu": false, "Production": false, "staging": true, "prod-test": true} {
		d, _, err := r.Record(t.Context(), Request{Deployment: detect.Deployment{Service: "web", Version: "1 " + env, Environment: env, At: now}})
		if err != nil || d.Elsewhere != elsewhere {
			t.Errorf("%q: elsewhere %v, %v", env, d.Elsewhere, err)
		}
	}
}

// TestGitHubVector is GitHub's documented one.
func TestGitHubVector(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	if err := verifyGitHub("It's a Secret to Everybody", r, []byte("Hello, World!"), now); err != nil {
		t.Error(err)
	}
}

// TestLockfiles reads a small one of each kind.
func TestLockfiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"package-lock.json": {`{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"^1"},"devDependencies":{"d":"1"}},"node_modules/a":{"version":"1.2.3"},"node_modules/a/node_modules/@s/b":{"version":"2.0.0"},"node_modules/d":{"version":"1.0.0","dev":true},"packages/own":{"version":"1"}}}`,
			"@s/b 2.0.0 npm; a 1.2.3 npm direct; d 1.0.0 npm direct dev"},
		"npm-shrinkwrap.json": {`{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"2.0.0"}}}}}`, "a 1.0.0 npm; b 2.0.0 npm"},
		"sub/yarn.lock":       {"# yarn lockfile v1\n\n\"@s/a@^1.0.0\", \"@s/a@~1.1\":\n  version \"1.1.5\"\n  dependencies:\n    version \"9\"\n\nb@^2:\n  version \"2.0.1\"\n", "@s/a 1.1.5 npm; b 2.0.1 npm"},
		"yarn.lock":           {"__metadata:\n  version: 8\n\n\"a@npm:^1.0.0\":\n  version: 1.0.3\n  resolution: \"a@npm:1.0.3\"\n\n\"own@workspace:.\":\n  version: 0.0.0-use.local\n", "a 1.0.3 npm"},
		"a/yarn.lock":         {"own@npm:real-one@^1.0.0:\n  version \"1.0.3\"\n", "real-one 1.0.3 npm"},
		"5/pnpm-lock.yaml":    {"lockfileVersion: 5.3\nspecifiers:\n  a: ^1\ndependencies:\n  a: 1.0.0\ndevDependencies:\n  d: 2.0.0\npackages:\n  /a/1.0.0:\n    dev: false\n  /@s/b/2.0.0_x@1.0.0:\n    dev: true\n  /d/2.0.0:\n    dev: true\n", "@s/b 2.0.0 npm dev; a 1.0.0 npm direct; d 2.0.0 npm direct dev"},
		"6/pnpm-lock.yaml":    {"lockfileVersion: '6.0'\ndependencies:\n  a:\n    specifier: ^1\n    version: 1.0.0(x@1)\npackages:\n  /a@1.0.0(x@1):\n    resolution: {}\n", "a 1.0.0 npm direct"},
		"bun.lock":            {"{\n \"lockfileVersion\": 1,\n \"workspaces\": {\"\": {\"dependencies\": {\"a\": \"^1\",}, \"devDependencies\": {\"d\": \"1\",},},},\n \"packages\": {\n  \"a\": [\"a@1.0.0\", \"\", {}, \"sha\"],\n  \"d\": [\"d@1.1.0\", \"\", {\"x\": \"1,}\"}, \"sha\"],\n  \"own\": [\"own@workspace:packages/own\"],\n  \"a/@s/b\": [\"@s/b@2.0.0\", \"\", {}, \"sha\"],\n }\n}\n", "@s/b 2.0.0 npm; a 1.0.0 npm direct; d 1.1.0 npm direct dev"},
		"2/uv.lock":           {"[[package]]\nname = \"own\"\nversion = \"0.1\"\nsource = { virtual = \".\" }\ndependencies = [\n { name = \"httpx\" },\n]\n[package.dev-dependencies]\ndev = [{ name = \"pytest\" }]\n[[package]]\nname = \"httpx\"\nversion = \"0.27\"\nsource = { registry = \"x\" }\n[[package]]\nname = \"pytest\"\nversion = \"8.0\"\nsource = { registry = \"x\" }\n", "httpx 0.27 PyPI direct; pytest 8.0 PyPI direct dev"},
		"2/Cargo.lock":        {"[[package]]\nname = \"own\"\nversion = \"0.1.0\"\ndependencies = [\n \"serde\",\n \"syn 2.0.1\",\n]\n[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\nsource = \"r\"\n[[package]]\nname = \"syn\"\nversion = \"2.0.1\"\nsource = \"r\"\n[[package]]\nname = \"quote\"\nversion = \"1.0.0\"\nsource = \"r\"\n", "quote 1.0.0 crates.io; serde 1.0.200 crates.io direct; syn 2.0.1 crates.io direct"},
		"pnpm-lock.yaml":      {"lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0\npackages:\n  a@1.0.0:\n    resolution: {}\n  '@s/b@2.0.0(x@1)':\n    resolution: {}\n  /c/3.0.0_x:\n    dev: false\n", "@s/b 2.0.0 npm; a 1.0.0 npm direct; c 3.0.0 npm"},
		"go.mod":              {"module x\n\ngo 1.26\n\nrequire (\n\ta.example/b v1.2.3\n\tc.example/d v0.1.0 // indirect\n)\nreplace c.example/d => e.example/f v0.2.0\n", "a.example/b v1.2.3 Go direct; c.example/d v0.2.0 Go; go 1.26 Go direct"},
		"go.sum":              {"a.example/b v1.2.3 h1:xx=\na.example/b v1.2.3/go.mod h1:yy=\n", "a.example/b v1.2.3 Go"},
		"requirements.txt":    {"# x\nDjango[argon2]==5.0.1 ; python_version > '3'\nfoo_bar === 1.0\nloose>=2\n-r other.txt\n", "django 5.0.1 PyPI; foo-bar 1.0 PyPI"},
		"poetry.lock":         {"[[package]]\nname = \"Django\"\nversion = \"5.0.1\"\n\n[[package]]\nname = \"pytest\"\nversion = \"8.0\"\ncategory = \"dev\"\n", "django 5.0.1 PyPI; pytest 8.0 PyPI dev"},
		"uv.lock":             {"version = 1\n[[package]]\nname = \"own\"\nversion = \"0.1\"\nsource = { editable = \".\" }\n[[package]]\nname = \"httpx\"\nversion = \"0.27\"\nsource = { registry = \"x\" }\n", "httpx 0.27 PyPI"},
		"Pipfile.lock":        {`{"default":{"a":{"version":"==1.0"}},"develop":{"b":{"version":"==2.0"},"local":{"path":"."}}}`, "a 1.0 PyPI; b 2.0 PyPI dev"},
		"Gemfile.lock":        {"GEM\n  remote: x\n  specs:\n    rack (3.0.8)\n      webrick (~> 1)\n    rails (7.1.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails (~> 7.1)\n", "rack 3.0.8 RubyGems; rails 7.1.0 RubyGems direct"},
		"Cargo.lock":          {"version = 3\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\nsource = \"registry+x\"\n", "serde 1.0.200 crates.io"},
		"composer.lock":       {`{"packages":[{"name":"a/b","version":"v1.0"}],"packages-dev":[{"name":"c/d","version":"2.0"}]}`, "a/b v1.0 Packagist; c/d 2.0 Packagist dev"},
		"packages.lock.json":  {`{"version":1,"dependencies":{"net8.0":{"A":{"type":"Direct","resolved":"1.0.0"},"B":{"type":"Transitive","resolved":"2.0.0"},"Own":{"type":"Project"}}}}`, "A 1.0.0 NuGet direct; B 2.0.0 NuGet"},
	} {
		list, err := ParseLockfile(name, []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, p := range list {
			s := p.Name + " " + p.Version + " " + p.Ecosystem
			if p.Direct {
				s += " direct"
			}
			if p.Dev {
				s += " dev"
			}
			got = append(got, s)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "; "), c.want)
		}
	}
	if _, err := ParseLockfile("package.json", nil); err == nil {
		t.Error("package.json is no lockfile")
	}
	if _, err := ParseLockfile("yarn.lock", []byte("<html>")); err == nil {
		t.Error("a page of HTML is no lockfile")
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range bodies {
		f.Add([]byte(b))
	}
	f.Add([]byte(`[{"action":"login","succeeded":3,"failed":1}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := Parse(data, now); err == nil && (r.Service == "" || r.Version == "") {
			t.Error("it took a deployment without a name")
		}
		ParseOutcomes(data, now)
		h := &hooks{workflow: []string{"x"}}
		r := httptest.NewRequest("POST", "/", nil)
		for _, event := range []string{"deployment_status", "workflow_run"} {
			r.Header.Set("X-GitHub-Event", event)
			for _, s := range senders {
				s.read(h, r, data, now)
			}
		}
	})
}
