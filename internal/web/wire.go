package web

import (
	"time"

	"tocsin/detect"
	"tocsin/internal/worker"
	"tocsin/store"
)

// Message is a mail as the API gives it. Text and Reply are set only where one
// mail is asked for.
type Message struct {
	ID         string     `json:"id"`
	Received   time.Time  `json:"received"`
	Date       *time.Time `json:"date,omitempty"` // the sender's claim
	Mailbox    string     `json:"mailbox,omitempty"`
	Folder     string     `json:"folder,omitempty"`
	MessageID  string     `json:"message_id,omitempty"`
	From       string     `json:"from"`
	Name       string     `json:"name,omitempty"`
	Subject    string     `json:"subject"`
	Automated  string     `json:"automated"`
	Category   string     `json:"category"`
	Corrected  bool       `json:"corrected,omitempty"` // a person sorted it
	Confidence float64    `json:"confidence"`
	Complaint  bool       `json:"complaint"`
	Language   string     `json:"language,omitempty"`
	Evidence   []Evidence `json:"evidence,omitempty"`
	Problem    string     `json:"problem,omitempty"`
	Text       string     `json:"text,omitempty"`
	Reply      string     `json:"reply,omitempty"`
	TextGone   bool       `json:"text_gone,omitempty"`
	Again      []Again    `json:"again,omitempty"`
}

// Again is another place where a mail was found, and why it counts once. It is
// given only where one mail is asked for.
type Again struct {
	Mailbox string    `json:"mailbox"`
	Folder  string    `json:"folder"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"found_at"`
}

// Evidence is a phrase that decided, with its weight.
type Evidence struct {
	Phrase string  `json:"phrase"`
	Weight float64 `json:"weight"`
}

func wireMessage(e *store.Entry) Message {
	m := Message{
		ID: e.ID, Received: e.Received.UTC(), Mailbox: e.Account, Folder: e.Folder, MessageID: e.MessageID,
		From: e.From.Addr, Name: e.From.Name, Subject: e.Subject, Automated: string(e.Automated),
		Category: e.Category(), Corrected: e.Corrected != "", Confidence: e.Verdict.Confidence, Complaint: e.Verdict.Complaint,
		Language: e.Verdict.Language, Problem: e.Problem, Text: e.Text, Reply: e.Reply, TextGone: e.TextGone,
	}
	if !e.Date.IsZero() {
		d := e.Date.UTC()
		m.Date = &d
	}
	for _, v := range e.Verdict.Evidence {
		m.Evidence = append(m.Evidence, Evidence{v.Phrase, v.Weight})
	}
	return m
}

// Messages is a part of a list of mails; Next is "" at its end.
type Messages struct {
	Messages []Message `json:"messages"`
	Next     string    `json:"next,omitempty"`
}

// Status is the state of a running Tocsin and of its data file.
type Status struct {
	worker.Status
	Running bool  `json:"running"`
	Store   Stats `json:"store"`
}

// Stats are figures of the data file.
type Stats struct {
	Path        string                 `json:"path"`
	Bytes       int64                  `json:"bytes"`
	Free        int64                  `json:"free_bytes"`
	Messages    int64                  `json:"messages"`
	Incidents   int64                  `json:"incidents"`
	Deployments int64                  `json:"deployments"`
	Missed      int64                  `json:"missed"`          // mails gone before they could be read, and not found elsewhere
	Left        int64                  `json:"left"`            // mails gone from the folder they arrived in before they could be read
	Found       int64                  `json:"found"`           // of those, found in the folders of "also"
	Gaps        bool                   `json:"gaps,omitempty"`  // a server numbers with gaps, so that missed mails cannot be told
	Again       map[store.Reason]int64 `json:"again,omitempty"` // mails that came again and count once, by reason
	Oldest      *time.Time             `json:"oldest,omitempty"`
	Newest      *time.Time             `json:"newest,omitempty"`
}

func wireStats(st store.Stats) Stats {
	s := Stats{Path: st.Path, Bytes: st.Size, Free: st.Free, Messages: st.Messages, Incidents: st.Incidents,
		Deployments: st.Deployments, Missed: st.Missed,
		Left: st.Left, Found: st.Found, Gaps: st.Gaps, Again: st.Again}
	if !st.Oldest.IsZero() {
		s.Oldest, s.Newest = &st.Oldest, &st.Newest
	}
	return s
}

// Recorded says what became of a deployment.
type Recorded struct {
	Deployment detect.Deployment `json:"deployment"`
	Added      bool              `json:"added"` // false: it was known already
}

// DigestAnswer is a week's digest in every form.
type DigestAnswer struct {
	Week    string `json:"week"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	Figures any    `json:"figures"`
}

// Count is how many mails of a category arrived in the hour from At.
type Count struct {
	At         time.Time `json:"time"`
	Category   string    `json:"category"`
	Messages   int       `json:"messages"`
	Complaints int       `json:"complaints"`
}
