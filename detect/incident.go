package detect

import "time"

// State of an incident.
type State string

// The states. "False alarm" is a verdict on a resolved incident, not a state.
const (
	Open         State = "open"
	Acknowledged State = "acknowledged"
	Resolved     State = "resolved"
)

// Level of an incident: a warning shows on the dashboard, a page rings.
type Level string

// The levels.
const (
	Warning Level = "warning"
	Paging  Level = "page"
)

// Reason is why an incident was raised, in numbers; sentences are made of it
// where they are shown.
type Reason struct {
	Complaints     int           `json:"complaints"`      // mails
	Customers      int           `json:"customers"`       // distinct complainants
	Expected       float64       `json:"expected"`        // complainants normal in Window
	Window         time.Duration `json:"window"`          // from StartedAt to this reason
	FirstComplaint time.Time     `json:"first_complaint"` // of the surge
	FirstMessage   string        `json:"first_message,omitempty"`
	Messages       []string      `json:"messages,omitempty"` // ids, first ones first, bounded
	Organisations  int           `json:"organisations"`
	Categories     []string      `json:"categories,omitempty"` // that surged then
	// Evidence is the statistic and Threshold what it had to exceed, in nats.
	Evidence  float64 `json:"evidence"`
	Threshold float64 `json:"threshold"`
	ColdStart bool    `json:"cold_start,omitempty"` // too little history to know what is normal
	// Signal is the second signal that confirmed it, in words, if any.
	Signal string `json:"signal,omitempty"`
	// Text is the sentence of a Trouble, which has no numbers.
	Text string `json:"text,omitempty"`
}

// Suspect is the deployment held responsible.
type Suspect struct {
	Deployment  Deployment    `json:"deployment"`
	Probability float64       `json:"probability"`
	Lead        time.Duration `json:"lead"` // from the deployment to the first complaint
	Why         string        `json:"why"`
}

// Incident is one trouble that people are told of, from its first complaint to
// its end. Its ID is unique for ever, made from what it is about and when it
// began, and is the key by which a pager drops repeats.
type Incident struct {
	ID         string   `json:"id"`
	Kind       string   `json:"kind"` // surge, outcome, or a Trouble's kind
	Level      Level    `json:"level"`
	State      State    `json:"state"`
	FalseAlarm bool     `json:"false_alarm,omitempty"`
	Categories []string `json:"categories"` // the leading one first
	Group      string   `json:"group,omitempty"`
	Key        string   `json:"key,omitempty"` // of a Trouble

	StartedAt      time.Time `json:"started_at"`  // estimated begin of the surge
	DetectedAt     time.Time `json:"detected_at"` // the instant of the page (of the warning while it is only that)
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	ResolvedAt     time.Time `json:"resolved_at,omitzero"`
	ResolvedBy     string    `json:"resolved_by,omitempty"` // empty: calm by itself
	Reopened       int       `json:"reopened,omitempty"`
	LastComplaint  time.Time `json:"last_complaint,omitzero"` // newest of its kinds

	Reason  Reason   `json:"reason"`            // when it was paged
	Now     Reason   `json:"now"`               // as it has grown since
	Suspect *Suspect `json:"suspect,omitempty"` // nil: no deployment suspected

	Rollback *Rollback `json:"rollback,omitempty"` // the last one while it was open
}

// Rollback is what a team went back to while an incident was open.
type Rollback struct {
	Service string    `json:"service"`
	Version string    `json:"version"`
	At      time.Time `json:"time"`
}

// AfterRollback tells how long complaints went on after a roll-back, once they
// have stopped; 0 when none came after it. ok is false without a roll-back.
func (i *Incident) AfterRollback() (d time.Duration, ok bool) {
	if i.Rollback == nil {
		return 0, false
	}
	return max(0, i.LastComplaint.Sub(i.Rollback.At)), true
}

// ChangeKind says what happened to an incident.
type ChangeKind string

// The changes.
const (
	Warned         ChangeKind = "warned"           // a warning was raised
	Opened         ChangeKind = "opened"           // it pages; the first change, or after Warned
	Grew           ChangeKind = "grew"             // clearly more customers, or a further category
	Suspected      ChangeKind = "suspected"        // the suspect deployment changed
	DidAcknowledge ChangeKind = "acknowledged"     // by a person
	DidResolve     ChangeKind = "resolved"         // by calm or by a person
	DidReopen      ChangeKind = "reopened"         // it flared again within the hour
	DidDismiss     ChangeKind = "false-alarm"      // by a person
	DidNote        ChangeKind = "note"             // by a person
	Deployed       ChangeKind = "deployment"       // a deployment while it was open
	RolledBack     ChangeKind = "rollback"         // a roll-back while it was open
	Calmed         ChangeKind = "calm"             // complaints have stopped, not yet resolved
	Clean          ChangeKind = "deployment-clean" // a deployment's watch ended without a surge; no incident
)

// Change is one step in the life of an incident, and the incident after it.
type Change struct {
	Kind       ChangeKind
	At         time.Time
	Incident   Incident // zero for Clean
	Who        string   // empty: Tocsin itself
	Note       string   // in words where numbers do not say it
	Deployment string   // id, for Deployed, RolledBack and Clean
}
