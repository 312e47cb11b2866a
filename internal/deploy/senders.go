package deploy

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/detect"
)

// readGitHub reads deployment_status, and workflow_run for teams without
// deployments (docs.github.com, "Webhook events and payloads").
func readGitHub(h *hooks, r *http.Request, raw []byte, now time.Time) (*Request, error) {
	switch r.Header.Get("X-GitHub-Event") {
	case "deployment_status":
		return readDeploymentStatus(raw, now)
	case "workflow_run":
		return readWorkflowRun(h, raw, now)
	}
	return nil, errIgnored
}

func readDeploymentStatus(raw []byte, now time.Time) (*Request, error) {
	var in struct {
		Status struct {
			State       string `json:"state"`
			Environment string `json:"environment"`
			CreatedAt   string `json:"created_at"`
			TargetURL   string `json:"target_url"`
		} `json:"deployment_status"`
		Deployment struct {
			ID          int64           `json:"id"`
			SHA         string          `json:"sha"`
			Ref         string          `json:"ref"`
			Environment string          `json:"environment"`
			Payload     json.RawMessage `json:"payload"` // an object, or a string with one
		} `json:"deployment"`
		Repository struct {
			FullName string `json:"full_name"`
		} `json:"repository"`
		Sender struct {
			Login string `json:"login"`
		} `json:"sender"`
	}
	if err := unmarshal(raw, &in); err != nil {
		return nil, err
	}
	failed := in.Status.State == "failure" || in.Status.State == "error"
	if in.Status.State != "success" && !failed {
		return nil, errIgnored
	}
	d := detect.Deployment{
		ID:          "github-" + strconv.FormatInt(in.Deployment.ID, 10),
		Service:     clean(path.Base(in.Repository.FullName), maxName),
		Version:     version(in.Deployment.Ref, in.Deployment.SHA),
		Environment: clean(first(in.Status.Environment, in.Deployment.Environment), maxName),
		Commit:      clean(in.Deployment.SHA, maxName),
		Link:        link(in.Status.TargetURL),
		Actor:       clean(in.Sender.Login, maxName),
		At:          timeOr(in.Status.CreatedAt, now),
		Failed:      failed,
	}
	if failed {
		d.ID += "-failed"
	}
	if in.Deployment.ID == 0 || in.Repository.FullName == "" {
		return nil, fieldError{"it is no deployment_status of GitHub: deployment.id or repository.full_name is missing", ""}
	}
	payloadOf(in.Deployment.Payload, &d)
	return &Request{Deployment: d}, nil
}

// payloadOf lets a team name the service and the version in the deployment's
// payload.
func payloadOf(raw json.RawMessage, d *detect.Deployment) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var p struct {
		Service string `json:"service"`
		Version string `json:"version"`
	}
	if json.Unmarshal(raw, &p) != nil {
		return
	}
	if s := clean(p.Service, maxName); s != "" {
		d.Service = s
	}
	if s := clean(p.Version, maxName); s != "" {
		d.Version = s
	}
}

func readWorkflowRun(h *hooks, raw []byte, now time.Time) (*Request, error) {
	var in struct {
		Action string `json:"action"`
		Run    struct {
			ID         int64  `json:"id"`
			Attempt    int    `json:"run_attempt"`
			Name       string `json:"name"`
			Path       string `json:"path"`
			Conclusion string `json:"conclusion"`
			HeadBranch string `json:"head_branch"`
			HeadSHA    string `json:"head_sha"`
			UpdatedAt  string `json:"updated_at"`
			HTMLURL    string `json:"html_url"`
			Actor      struct {
				Login string `json:"login"`
			} `json:"actor"`
		} `json:"workflow_run"`
		Repository struct {
			FullName string `json:"full_name"`
		} `json:"repository"`
	}
	if err := unmarshal(raw, &in); err != nil {
		return nil, err
	}
	run := &in.Run
	if in.Action != "completed" || run.Conclusion != "success" || !slices.ContainsFunc(h.workflow, func(w string) bool { return w == run.Name || w == run.Path || w == path.Base(run.Path) }) {
		return nil, errIgnored
	}
	return &Request{Deployment: detect.Deployment{
		ID:      "github-run-" + strconv.FormatInt(run.ID, 10) + "-" + strconv.Itoa(run.Attempt),
		Service: clean(path.Base(in.Repository.FullName), maxName),
		Version: version(run.HeadBranch, run.HeadSHA), Environment: "production",
		Commit: clean(run.HeadSHA, maxName), Link: link(run.HTMLURL), Actor: clean(run.Actor.Login, maxName), At: timeOr(run.UpdatedAt, now),
	}}, nil
}

// readGitLab reads a deployment event (docs.gitlab.com, "Webhook events").
func readGitLab(_ *hooks, _ *http.Request, raw []byte, now time.Time) (*Request, error) {
	var in struct {
		Kind        string  `json:"object_kind"`
		Status      string  `json:"status"`
		Changed     string  `json:"status_changed_at"`
		ID          int64   `json:"deployment_id"`
		URL         *string `json:"deployable_url"`
		Environment string  `json:"environment"`
		Tier        string  `json:"environment_tier"`
		ShortSHA    string  `json:"short_sha"`
		CommitURL   string  `json:"commit_url"`
		Ref         string  `json:"ref"`
		Project     struct {
			Path string `json:"path_with_namespace"`
		} `json:"project"`
		User struct {
			Username string `json:"username"`
		} `json:"user"`
	}
	if err := unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.Kind != "deployment" || in.Status != "success" && in.Status != "failed" {
		return nil, errIgnored
	}
	if in.ID == 0 || in.Project.Path == "" {
		return nil, fieldError{"it is no deployment event of GitLab: deployment_id or project.path_with_namespace is missing", ""}
	}
	sha := in.ShortSHA
	if i := strings.LastIndex(in.CommitURL, "/commit/"); i >= 0 {
		sha = in.CommitURL[i+len("/commit/"):]
	}
	d := detect.Deployment{
		ID:      "gitlab-" + strconv.FormatInt(in.ID, 10) + map[bool]string{true: "-failed"}[in.Status == "failed"],
		Service: clean(path.Base(in.Project.Path), maxName), Version: version(in.Ref, sha),
		Environment: clean(in.Environment, maxName), Commit: clean(sha, maxName), Actor: clean(in.User.Username, maxName),
		At: gitLabTime(in.Changed, now), Failed: in.Status == "failed",
	}
	if in.Tier == "production" {
		d.Environment = "production"
	}
	if in.URL != nil {
		d.Link = link(*in.URL)
	}
	return &Request{Deployment: d}, nil
}

// gitLabTime reads GitLab's own way to write a time, which is not RFC 3339.
func gitLabTime(s string, now time.Time) time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return now
}

// readVercel reads deployment.succeeded and deployment.promoted.
func readVercel(_ *hooks, _ *http.Request, raw []byte, now time.Time) (*Request, error) {
	var in struct {
		Type      string `json:"type"`
		CreatedAt int64  `json:"createdAt"` // ms
		Payload   struct {
			Target     string `json:"target"`
			Deployment struct {
				ID   string            `json:"id"`
				Name string            `json:"name"`
				URL  string            `json:"url"`
				Meta map[string]string `json:"meta"`
			} `json:"deployment"`
			Project struct {
				ID string `json:"id"`
			} `json:"project"`
		} `json:"payload"`
	}
	if err := unmarshal(raw, &in); err != nil {
		return nil, err
	}
	failed := in.Type == "deployment.error"
	if in.Type != "deployment.succeeded" && in.Type != "deployment.promoted" && !failed {
		return nil, errIgnored
	}
	p := &in.Payload
	if p.Deployment.ID == "" {
		return nil, fieldError{"it is no deployment event of Vercel: payload.deployment.id is missing", ""}
	}
	t := now
	if in.CreatedAt > 0 {
		t = time.UnixMilli(in.CreatedAt)
	}
	sha := p.Deployment.Meta["githubCommitSha"]
	address := p.Deployment.URL
	if address != "" && !strings.Contains(address, "://") {
		address = "https://" + address
	}
	return &Request{Deployment: detect.Deployment{
		ID: clean("vercel-"+p.Deployment.ID+"-"+in.Type, maxName), Service: clean(first(p.Deployment.Name, p.Project.ID, "web"), maxName),
		Version: version("", first(sha, p.Deployment.ID)), Environment: clean(first(p.Target, "preview"), maxName),
		Commit: clean(sha, maxName), Link: link(address), At: t, Failed: failed,
	}}, nil
}

// readHeroku reads api:release; a change of configuration is one, too.
func readHeroku(_ *hooks, _ *http.Request, raw []byte, now time.Time) (*Request, error) {
	var in struct {
		Resource string `json:"resource"`
		Actor    struct {
			Email string `json:"email"`
		} `json:"actor"`
		Data struct {
			ID          string `json:"id"`
			Status      string `json:"status"`
			Version     int    `json:"version"`
			Description string `json:"description"`
			UpdatedAt   string `json:"updated_at"`
			App         struct {
				Name string `json:"name"`
			} `json:"app"`
			Slug struct {
				Commit string `json:"commit"`
			} `json:"slug"`
		} `json:"data"`
	}
	if err := unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.Resource != "release" || in.Data.Status != "succeeded" && in.Data.Status != "failed" {
		return nil, errIgnored
	}
	if in.Data.App.Name == "" || in.Data.Version == 0 {
		return nil, fieldError{"it is no release of Heroku: data.app.name or data.version is missing", ""}
	}
	v := "v" + strconv.Itoa(in.Data.Version)
	d := detect.Deployment{
		ID: clean("heroku-"+in.Data.App.Name+"-"+v+"-"+in.Data.Status, maxName), Service: clean(in.Data.App.Name, maxName), Version: v,
		Environment: "production", Commit: clean(in.Data.Slug.Commit, maxName), Actor: clean(in.Actor.Email, maxName),
		At: timeOr(in.Data.UpdatedAt, now), Failed: in.Data.Status == "failed",
	}
	what := strings.ToLower(in.Data.Description)
	switch {
	case strings.HasPrefix(what, "rollback"), strings.HasPrefix(what, "roll back"):
		d.Kind = "rollback"
	case strings.Contains(what, "config var"):
		d.Kind = "config"
	}
	return &Request{Deployment: d}, nil
}

// readCDEvent reads service deployed, upgraded and rolledback events of
// CDEvents 0.4, bare or wrapped as a structured CloudEvent.
func readCDEvent(_ *hooks, _ *http.Request, raw []byte, now time.Time) (*Request, error) {
	var in struct {
		Data    json.RawMessage `json:"data"`
		Context struct {
			ID        string `json:"id"`
			Type      string `json:"type"`
			Source    string `json:"source"`
			Timestamp string `json:"timestamp"`
		} `json:"context"`
		Subject struct {
			ID      string `json:"id"`
			Content struct {
				Environment struct {
					ID string `json:"id"`
				} `json:"environment"`
				ArtifactID string `json:"artifactId"`
			} `json:"content"`
		} `json:"subject"`
	}
	if err := unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.Context.Type == "" && len(in.Data) > 0 {
		wrapped := in.Data
		in.Data = nil
		if err := unmarshal(wrapped, &in); err != nil {
			return nil, err
		}
	}
	kind := ""
	switch t := in.Context.Type; {
	case strings.HasPrefix(t, "dev.cdevents.service.deployed."), strings.HasPrefix(t, "dev.cdevents.service.upgraded."):
	case strings.HasPrefix(t, "dev.cdevents.service.rolledback."):
		kind = "rollback"
	default:
		return nil, errIgnored
	}
	service := clean(path.Base(in.Subject.ID), maxName)
	if in.Subject.ID == "" || in.Context.ID == "" {
		return nil, fieldError{"the CDEvent has no subject.id or no context.id", ""}
	}
	v, digest := purl(in.Subject.Content.ArtifactID)
	return &Request{Deployment: detect.Deployment{
		ID: clean("cdevents-"+in.Context.Source+"-"+in.Context.ID, maxName), Service: service, Version: clean(first(v, digest, in.Context.ID), maxName),
		Environment: clean(in.Subject.Content.Environment.ID, maxName), Kind: kind, Commit: clean(digest, maxName), At: timeOr(in.Context.Timestamp, now),
	}}, nil
}

// purl reads the tag and the digest of a package URL of an image.
func purl(s string) (tag, digest string) {
	s, query, _ := strings.Cut(s, "?")
	if _, v, ok := strings.Cut(s, "@"); ok {
		digest, _ = url.PathUnescape(v)
	}
	if q, err := url.ParseQuery(query); err == nil {
		tag = q.Get("tag")
	}
	return tag, digest
}

// readGeneric reads our own JSON; of it, only the service is required.
func readGeneric(_ *hooks, r *http.Request, raw []byte, now time.Time) (*Request, error) {
	var more struct {
		Version string `json:"version"`
		SHA     string `json:"sha"`
		Time    string `json:"time"`
	}
	if err := unmarshal(raw, &more); err != nil {
		return nil, err
	}
	if more.Version == "" {
		var all map[string]json.RawMessage
		if err := unmarshal(raw, &all); err != nil {
			return nil, err
		}
		v := version("", more.SHA)
		if v == "" {
			v = "at " + timeOr(more.Time, now).UTC().Format("2006-01-02 15:04")
		}
		all["version"], _ = json.Marshal(v)
		raw, _ = json.Marshal(all)
	}
	req, err := Parse(raw, now)
	if err != nil {
		return nil, err
	}
	if req.Commit == "" {
		req.Commit = clean(more.SHA, maxName)
	}
	// Without a time of its own, what is sent again later is told by its id.
	if id := clean(r.Header.Get("Webhook-Id"), maxName); req.ID == "" && more.Time == "" && id != "" {
		req.ID = clean("generic-"+id, maxName)
	}
	return &req, nil
}

// version is what people call a deployment: its tag, else the short commit.
func version(ref, sha string) string {
	ref = strings.TrimPrefix(strings.TrimPrefix(clean(ref, maxName), "refs/tags/"), "refs/heads/")
	sha = clean(sha, maxName)
	short := sha[:min(len(sha), 8)]
	switch {
	case strings.IndexFunc(ref, func(r rune) bool { return r >= '0' && r <= '9' }) >= 0 && strings.Contains(ref, "."):
		return ref // looks like a version
	case sha != "":
		return short
	}
	return ref
}

func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

func timeOr(s string, now time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t
	}
	return now
}
