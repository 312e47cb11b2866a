package store

import (
	"time"

	"tocsin/classify"
	"tocsin/detect"
	"tocsin/mailbox"
)

// Options of Open.
type Options struct {
	ReadOnly bool
	Timeout  time.Duration    // for the file lock; default 1 s
	MaxSize  int64            // bytes; 0: no limit
	Location *time.Location   // reserved for day boundaries; default UTC
	Now      func() time.Time // default time.Now
}

// Entry is a message with its verdict, as appended and as read back.
type Entry struct {
	mailbox.Message
	Verdict classify.Verdict
	// Corrected is the category a person gave it, "" if none.
	Corrected string
	// FollowUp: it belongs to a thread of which an earlier mail is stored; set
	// by Append.
	FollowUp bool
	// Print is the fingerprint of its words, for detect.Complaint.
	Print uint64
	// Streams are those of detect.Complaint.
	Streams []string
	// History is set for mail that was there before the first start.
	History bool
	// Filed is set for mail read in a folder that people move mail to.
	Filed bool
	// Teaches is the category of the folder it was read in, where people move
	// mail to say so; "" elsewhere. Append takes it for a correction. Not kept.
	Teaches string
	// TextGone: texts are past their retention, or were forgotten.
	TextGone bool
}

// Category is the corrected one, else the verdict's.
func (e *Entry) Category() string {
	if e.Corrected != "" {
		return e.Corrected
	}
	return e.Verdict.Category
}

// Appended says what a batch did.
type Appended struct {
	Stored int            // new messages
	Known  int            // recognised as already stored
	Again  map[Reason]int // why those were there again
	Taught int            // corrected, by the folder they were found in
	IsNew  []bool         // by entry
}

// Reason is why a mail came that is stored already, in words.
type Reason string

// The reasons. Which one it is follows from where the mail was first read and
// where it was found again.
const (
	ReadTwice    Reason = "the same place was read twice"
	Renumbered   Reason = "the folder was made again or renumbered (UIDVALIDITY)"
	CameBack     Reason = "moved out and back, or copied within its folder"
	OtherFolder  Reason = "also in another folder of the mailbox"
	OtherMailbox Reason = "also in another mailbox"
	Imported     Reason = "also in an imported file"
)

// Place is where a mail was found again.
type Place struct {
	Account     string
	Folder      string
	UIDValidity uint32
	UID         uint32
	Reason      Reason
	At          time.Time // when it was found there
}

// SeqNo numbers the events of the log from 1.
type SeqNo uint64

// Event is one entry of the log: exactly one pointer is set.
type Event struct {
	Seq        SeqNo
	Message    *Entry // without Text and Reply
	Deployment *detect.Deployment
	Decision   *detect.Decision
	Relabel    *Relabel
	Gap        *detect.Gap
	Outcome    *detect.Outcome
	Trouble    *detect.Trouble
}

// Relabel is a correction as stored.
type Relabel struct {
	Message Entry // without Text and Reply, with the old category
	To      string
	Who     string
	At      time.Time
}

// Query selects messages. Zero fields do not restrict.
type Query struct {
	From, To   time.Time
	Category   string
	Sender     string // part of the address or name
	Words      string // part of subject or reply, case folded
	Automated  string // "", "only", "without"
	Unsorted   bool   // category other or confidence low, a person's mail
	Problem    bool   // unreadable ones
	Complaints bool   // complaints only
	Limit      int    // default 100
	Before     string // cursor of the page before: Page.Next
	Oldest     bool   // oldest first; default newest first
	Heads      bool   // without Text and Reply, which is much faster
}

// Page is a part of an answer. Next is "" at its end. A rare word or sender is
// looked for in a bounded number of messages at a time: then Entries may be
// few or none, Next is set, and Reached says how far the search came.
type Page struct {
	Entries []Entry
	Next    string
	Reached time.Time
}

// Arrival is what a chart must know of a message.
type Arrival struct {
	At        time.Time
	Category  string
	Sender    string // the complainant's address
	Complaint bool   // a person's complaint
}

// Count is how many messages of a category arrived in the hour from At.
type Count struct {
	At         time.Time
	Category   string
	Messages   int
	Complaints int
}

// Step is a line of an incident's timeline: a change of it, or what became of a
// page.
type Step struct {
	At         time.Time         `json:"time"`
	Kind       detect.ChangeKind `json:"kind"` // a change's kind, or "page-accepted", "page-failed"
	Who        string            `json:"who,omitempty"`
	Pager      string            `json:"pager,omitempty"`
	Note       string            `json:"note,omitempty"`
	Deployment string            `json:"deployment,omitempty"`
	Reason     *detect.Reason    `json:"reason,omitempty"`
}

// DeliveryState of a page to one pager.
type DeliveryState string

// The states.
const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "delivered"
	Failed    DeliveryState = "failed" // given up: refused for good, or 24 hours over
)

// Delivery is one page to one pager: the outbox.
type Delivery struct {
	ID        SeqNo             `json:"id"`
	Incident  string            `json:"incident"` // "" for a message that belongs to none (digest, change event)
	Change    detect.ChangeKind `json:"change"`
	Subject   string            `json:"subject,omitempty"` // what it is about when it is no incident: a deployment's id, a digest's week
	Pager     string            `json:"pager"`
	Fallback  bool              `json:"fallback,omitempty"`  // sent here because another pager refused
	Copied    bool              `json:"copied,omitempty"`    // its fallback was told of it
	Due       time.Time         `json:"due"`                 // when it became true
	NotBefore time.Time         `json:"not_before,omitzero"` // next try
	Attempts  int               `json:"attempts"`
	State     DeliveryState     `json:"state"`
	Error     string            `json:"error,omitempty"`
	DoneAt    time.Time         `json:"done_at,omitzero"`
}

// Stats of the file.
type Stats struct {
	Path                                     string
	Size, Free                               int64 // bytes of the file, bytes in it that are free
	Messages, Incidents, Deployments, Events int64
	Oldest, Newest                           time.Time // messages

	// Left is how many mails were gone from the folder they arrived in before
	// they were read, Found how many of those turned up in the folders that
	// people move mail to, and Missed the rest. Gaps tells that a server numbers
	// its mails with gaps, where these say nothing.
	Left, Found, Missed int64
	Gaps                bool
	Again               map[Reason]int64 // mails counted once that came again, and why
}
