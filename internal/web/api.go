package web

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/detect"
	"tocsin/internal/deploy"
	"tocsin/internal/digest"
	"tocsin/store"
)

// handler answers a request or says why not.
type handler func(w http.ResponseWriter, r *http.Request) error

// mistake is an error of whoever asked: they get the sentence. Any other error
// is ours: they get a reference, the log gets the chain.
type mistake struct {
	status       int
	text, advice string
}

func (m mistake) Error() string  { return m.text }
func (m mistake) Advice() string { return m.advice }

func notFound(format string, args ...any) error {
	return mistake{http.StatusNotFound, fmt.Sprintf(format, args...), ""}
}

func badRequest(err error) error {
	m := mistake{status: http.StatusBadRequest, text: err.Error()}
	var a interface{ Advice() string }
	if errors.As(err, &a) {
		m.advice = a.Advice()
	}
	return m
}

var errNotRunning = mistake{http.StatusServiceUnavailable, "no tocsin is running: the data file can only be read", "start one with: tocsin run --config FILE"}

// api runs a handler whose answers are JSON.
func (s *Server) api(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			status, text, advice := s.explain(r, err)
			writeError(w, status, text, advice)
		}
	})
}

// explain turns an error into what may be told.
func (s *Server) explain(r *http.Request, err error) (status int, text, advice string) {
	var m mistake
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &m):
		return m.status, m.text, m.advice
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is longer than %d KB", tooLarge.Limit>>10), ""
	case errors.Is(err, store.ErrNoMessage):
		return http.StatusNotFound, "there is no such message", ""
	}
	ref := strconv.FormatInt(time.Now().UnixNano()%1e9, 36)
	s.opt.Log.Error("request failed", "path", clip(r.URL.Path, 100), "reference", ref, "err", err)
	return http.StatusInternalServerError, "something went wrong here; the log says what, under the reference " + ref, ""
}

type errorAnswer struct {
	Error  string `json:"error"`
	Advice string `json:"advice,omitempty"`
}

func writeError(w http.ResponseWriter, status int, text, advice string) {
	writeJSON(w, status, errorAnswer{text, advice})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}

func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, most))
}

// between reads from and to, each a time or one of the team's days, of which to
// includes the whole; the zero time restricts nothing.
func (s *Server) between(q url.Values) (from, to time.Time, err error) {
	read := func(name string, days int) (t time.Time) {
		v := q.Get(name)
		if v == "" || err != nil {
			return t
		}
		if t, err = time.ParseInLocation(time.DateOnly, v, s.opt.Location); err == nil {
			return t.AddDate(0, 0, days)
		}
		if t, err = time.Parse(time.RFC3339, v); err != nil {
			err = mistake{http.StatusBadRequest, fmt.Sprintf("%s=%q is no time", name, clip(v, 60)), "write it as 2026-11-24 or 2026-11-24T09:40:00Z"}
		}
		return t
	}
	from, to = read("from", 0), read("to", 1)
	return from, to, err
}

func (s *Server) apiStatus(w http.ResponseWriter, r *http.Request) error {
	st, err := s.status()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, st)
}

func (s *Server) status() (st Status, err error) {
	if s.opt.Worker != nil {
		st.Status, st.Running = s.opt.Worker.Status(), true
	} else {
		st.Version, st.Now = s.opt.Version, s.opt.Now()
	}
	figures, err := s.opt.Store.Stats()
	st.Store = wireStats(figures)
	return st, err
}

func (s *Server) apiMessages(w http.ResponseWriter, r *http.Request) error {
	q, err := s.messageQuery(r.URL.Query())
	if err != nil {
		return err
	}
	q.Heads = true
	p, err := s.opt.Store.Messages(q)
	if err != nil {
		return err
	}
	answer := Messages{Messages: []Message{}, Next: p.Next}
	for i := range p.Entries {
		answer.Messages = append(answer.Messages, wireMessage(&p.Entries[i]))
	}
	return writeJSON(w, http.StatusOK, answer)
}

// messageQuery reads the filters of a list of messages.
func (s *Server) messageQuery(v url.Values) (q store.Query, err error) {
	if q.From, q.To, err = s.between(v); err != nil {
		return q, err
	}
	q.Category, q.Sender, q.Words, q.Before = v.Get("category"), v.Get("sender"), clip(v.Get("words"), 200), v.Get("before")
	switch q.Automated = v.Get("automated"); q.Automated {
	case "", "only", "without":
	default:
		return q, mistake{http.StatusBadRequest, "automated is neither \"only\" nor \"without\"", ""}
	}
	q.Unsorted, q.Problem, q.Complaints = v.Get("unsorted") != "", v.Get("problem") != "", v.Get("complaints") != ""
	q.Limit = 100
	if l := v.Get("limit"); l != "" {
		if q.Limit, err = strconv.Atoi(l); err != nil || q.Limit < 1 || q.Limit > 1000 {
			return q, mistake{http.StatusBadRequest, "limit is not a number from 1 to 1000", ""}
		}
	}
	if len(q.Before) > 64 || strings.Trim(q.Before, "0123456789abcdef") != "" || q.Before != "" && len(q.Before) < 16 {
		return q, mistake{http.StatusBadRequest, "before is no place in a list of messages", "take it from \"next\" of the answer before"}
	}
	return q, nil
}

func (s *Server) apiMessage(w http.ResponseWriter, r *http.Request) error {
	e, ok, err := s.opt.Store.Message(r.PathValue("id"))
	if err != nil {
		return err
	}
	if !ok {
		return notFound("there is no message %q", clip(r.PathValue("id"), 80))
	}
	places, err := s.opt.Store.Places(e.ID)
	if err != nil {
		return err
	}
	m := wireMessage(&e)
	for _, p := range places {
		m.Again = append(m.Again, Again{Mailbox: p.Account, Folder: p.Folder, Reason: string(p.Reason), At: p.At})
	}
	return writeJSON(w, http.StatusOK, m)
}

func (s *Server) apiCorrect(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var in struct {
		Category *string `json:"category"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.Category == nil {
		return mistake{http.StatusBadRequest, `the body is not {"category": "…"}`, `"" takes a correction back`}
	}
	if err := s.correct(r, r.PathValue("id"), *in.Category); err != nil {
		return err
	}
	return s.apiMessage(w, r)
}

func (s *Server) correct(r *http.Request, message, category string) error {
	if s.opt.Worker == nil {
		return errNotRunning
	}
	if _, ok := s.opt.Taxonomy.Find(category); !ok && category != "" {
		var names []string
		for _, c := range s.opt.Taxonomy {
			names = append(names, c.Name)
		}
		return mistake{http.StatusBadRequest, fmt.Sprintf("there is no category %q", clip(category, 40)), "there are " + strings.Join(names, ", ")}
	}
	return s.opt.Worker.Correct(r.Context(), message, category, who(r.Context()))
}

func (s *Server) apiCounts(w http.ResponseWriter, r *http.Request) error {
	from, to, err := s.between(r.URL.Query())
	if err != nil {
		return err
	}
	counts, err := s.opt.Store.Counts(from, to)
	if err != nil {
		return err
	}
	list := []Count{}
	for _, c := range counts {
		if k := r.URL.Query().Get("category"); k == "" || k == c.Category {
			list = append(list, Count(c))
		}
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) apiIncidents(w http.ResponseWriter, r *http.Request) error {
	from, to, err := s.between(r.URL.Query())
	if err != nil {
		return err
	}
	list, err := s.opt.Store.Incidents(from, to)
	if err != nil {
		return err
	}
	if list == nil {
		list = []detect.Incident{}
	}
	for n := range list {
		if err := s.fresh(&list[n]); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) incident(r *http.Request) (detect.Incident, error) {
	i, ok, err := s.opt.Store.Incident(r.PathValue("id"))
	if err == nil && !ok {
		err = notFound("there is no incident %q", clip(r.PathValue("id"), 80))
	}
	return i, err
}

func (s *Server) apiIncident(w http.ResponseWriter, r *http.Request) error {
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	if err := s.fresh(&i); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, i)
}

func (s *Server) apiTimeline(w http.ResponseWriter, r *http.Request) error {
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	steps, err := s.opt.Store.Timeline(i.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, story(&i, steps))
}

func (s *Server) postMortem(w http.ResponseWriter, r *http.Request) error {
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	text, err := digest.PostMortem(r.Context(), s.opt.Digest, i.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", "postmortem-"+fileName(i.ID)+".md"))
	_, err = io.WriteString(w, text)
	return err
}

// verbs are the decisions as the API names them.
var verbs = map[string]detect.Verb{
	"acknowledge": detect.Acknowledge, "resolve": detect.Resolve, "false-alarm": detect.Dismiss, "note": detect.Note,
}

func (s *Server) apiDecide(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var in struct {
		Note string `json:"note"`
	}
	if len(strings.TrimSpace(string(body))) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return badRequest(fmt.Errorf("the body is not {\"note\": \"…\"}: %w", err))
		}
	}
	i, err := s.decide(r, r.PathValue("verb"), in.Note)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, i)
}

func (s *Server) decide(r *http.Request, verb, note string) (detect.Incident, error) {
	v, ok := verbs[verb]
	if !ok {
		return detect.Incident{}, notFound("there is no decision %q: acknowledge, resolve, false-alarm or note", clip(verb, 40))
	}
	if s.opt.Worker == nil {
		return detect.Incident{}, errNotRunning
	}
	i, err := s.incident(r)
	if err != nil {
		return i, err
	}
	note = strings.TrimSpace(clip(note, 4000))
	if v == detect.Note && note == "" {
		return i, mistake{http.StatusBadRequest, "the note is empty", ""}
	}
	d := detect.Decision{Incident: i.ID, Verb: v, Who: who(r.Context()), Note: note}
	s.opt.Log.Info("decided", "incident", i.ID, "decision", v, "who", d.Who)
	after, err := s.opt.Worker.Decide(r.Context(), d)
	if err != nil && r.Context().Err() == nil {
		return i, mistake{http.StatusConflict, err.Error(), ""}
	}
	return after, err
}

func (s *Server) apiDeployments(w http.ResponseWriter, r *http.Request) error {
	from, to, err := s.between(r.URL.Query())
	if err != nil {
		return err
	}
	list, err := s.opt.Store.Deployments(from, to)
	if err != nil {
		return err
	}
	if list == nil {
		list = []detect.Deployment{}
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) deployment(r *http.Request) (detect.Deployment, error) {
	d, ok, err := s.opt.Store.Deployment(r.PathValue("id"))
	if err == nil && !ok {
		err = notFound("there is no deployment %q", clip(r.PathValue("id"), 80))
	}
	return d, err
}

func (s *Server) apiDeployment(w http.ResponseWriter, r *http.Request) error {
	d, err := s.deployment(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, d)
}

func (s *Server) apiDeploy(w http.ResponseWriter, r *http.Request) error {
	if s.opt.Deployments == nil {
		return errNotRunning
	}
	body, err := readBody(w, r, maxLock)
	if err != nil {
		return err
	}
	req, err := deploy.Parse(body, s.opt.Now())
	if err != nil {
		return badRequest(err)
	}
	if req.Source == "" {
		req.Source = "api"
	}
	if req.Actor == "" {
		req.Actor = who(r.Context())
	}
	d, added, err := s.opt.Deployments.Record(r.Context(), req)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if !added {
		status = http.StatusOK
	}
	return writeJSON(w, status, Recorded{d, added})
}

func (s *Server) apiOutcomes(w http.ResponseWriter, r *http.Request) error {
	if s.opt.Worker == nil || !s.opt.Outcomes {
		return errNotRunning
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	list, err := deploy.ParseOutcomes(body, s.opt.Now())
	if err != nil {
		return badRequest(err)
	}
	if _, err := s.opt.Store.AddOutcomes(list); err != nil {
		return err
	}
	s.opt.Worker.Recorded()
	return writeJSON(w, http.StatusAccepted, map[string]int{"outcomes": len(list)})
}

func (s *Server) apiDigest(w http.ResponseWriter, r *http.Request) error {
	week, err := s.week(r.URL.Query().Get("week"))
	if err != nil {
		return err
	}
	d, err := s.digest(r.Context(), week)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, DigestAnswer{week.String(), d.Subject(), d.Text(), d.HTML(), d})
}

// week reads a week's name; "" is the last one that is over.
func (s *Server) week(name string) (digest.Week, error) {
	o := s.opt.Digest
	if name == "" {
		return digest.WeekOf(digest.WeekOf(s.opt.Now(), o.WeekStart, o.Location).From.AddDate(0, 0, -3), o.WeekStart, o.Location), nil
	}
	w, err := digest.ParseWeek(name, o.WeekStart, o.Location)
	if err != nil {
		return w, badRequest(err)
	}
	return w, nil
}

// apiEvents writes what "tocsin backtest" reads: complaints and deployments in
// the order of time, one JSON object a line.
func (s *Server) apiEvents(w http.ResponseWriter, r *http.Request) error {
	from, to, err := s.between(r.URL.Query())
	if err != nil {
		return err
	}
	if to.IsZero() {
		to = s.opt.Now().Add(time.Second)
	}
	deployments, err := s.opt.Store.Deployments(from, to)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	rc := http.NewResponseController(w)
	enc := json.NewEncoder(w)
	type event struct {
		Time       time.Time          `json:"time"`
		Category   string             `json:"category,omitempty"`
		Sender     string             `json:"sender,omitempty"`
		Deployment *detect.Deployment `json:"deployment,omitempty"`
	}
	next := len(deployments) - 1 // newest first
	deployed := func(until time.Time) error {
		for ; next >= 0 && !deployments[next].At.After(until); next-- {
			if err := enc.Encode(event{Time: deployments[next].At.UTC(), Deployment: &deployments[next]}); err != nil {
				return err
			}
		}
		return nil
	}
	q := store.Query{From: from, To: to, Oldest: true, Complaints: true, Automated: "without", Limit: 5000, Heads: true}
	for {
		p, err := s.opt.Store.Messages(q)
		if err != nil {
			return err
		}
		rc.SetWriteDeadline(time.Now().Add(bodyTime))
		for i := range p.Entries {
			e := &p.Entries[i]
			if err := deployed(e.Received); err != nil {
				return err
			}
			if err := enc.Encode(event{Time: e.Received.UTC(), Category: e.Category(), Sender: sender(e)}); err != nil {
				return err
			}
		}
		if q.Before = p.Next; q.Before == "" {
			return deployed(to)
		}
	}
}

// apiBackup writes a consistent copy of the data file.
func (s *Server) apiBackup(w http.ResponseWriter, r *http.Request) error {
	dir, err := os.MkdirTemp("", "tocsin-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "tocsin.db")
	if err := s.opt.Store.Backup(r.Context(), name); err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour))
	s.opt.Log.Info("backup was made", "who", who(r.Context()))
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = io.Copy(w, f)
	return err
}

// customersCSV lists the people hit by an incident.
func (s *Server) customersCSV(w http.ResponseWriter, r *http.Request) error {
	i, err := s.incident(r)
	if err != nil {
		return err
	}
	hit, err := s.customers(&i)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "customers-"+fileName(i.ID)+".csv"))
	c := csv.NewWriter(w)
	c.Write([]string{"address", "name", "first mail", "mails", "category", "subject"})
	for _, h := range hit {
		c.Write([]string{cell(h.Addr), cell(h.Name), h.First.In(s.opt.Location).Format(time.RFC3339), strconv.Itoa(h.Mails), cell(h.Category), cell(h.Subject)})
	}
	c.Flush()
	return c.Error()
}

// cell makes text harmless in a spreadsheet, which takes what begins with one
// of these signs for a formula; some take the wide forms of East Asia, too.
func cell(s string) string {
	t := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) })
	first, _ := utf8.DecodeRuneInString(t)
	if t != "" && strings.ContainsRune("=+-@|%＝＋－＠｜％", first) || strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") {
		return "'" + s
	}
	return s
}

// fileName keeps what is harmless in a file's name.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, clip(s, 80))
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

func escapeQuery(s string) string { return url.QueryEscape(s) }

// sender is who a mail counts for; a mail without a readable sender counts, too.
func sender(e *store.Entry) string {
	if s := e.Complainant(); s != "" {
		return s
	}
	return "unknown"
}
