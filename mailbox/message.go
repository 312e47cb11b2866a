// Package mailbox knows what a mail is and what it says: who wrote it, when it
// arrived, its readable text, the sender's newest words in it, and whether a
// machine wrote it.
//
// Its nouns are Message, Address, Cursor and Batch. It promises that Parse
// never fails: the worst mail there is becomes a Message whose Problem says
// what could not be read. It touches no network and no file; how mail gets here
// is the business of package imapsync below it.
package mailbox

import "time"

// Automated tells whether a machine wrote a mail. It is a fact read from the
// mail itself (RFC 3834, RFC 3464, RFC 2919); what follows from it is decided
// in package classify.
type Automated string

// The kinds of automated mail. Human is the zero value.
const (
	Human        Automated = ""
	AutoReply    Automated = "auto-reply"
	Bounce       Automated = "bounce"
	List         Automated = "list"
	Notification Automated = "notification"
	Own          Automated = "own" // a page or digest of this installation, come back
)

// Authentication is what the configured mail server said of the sender in the
// Authentication-Results header it added (RFC 8601). Headers of any other
// server are a sender's claim and are ignored.
type Authentication string

// The results that matter to counting.
const (
	AuthUnknown Authentication = ""
	AuthPass    Authentication = "pass"
	AuthFail    Authentication = "fail"
)

// Address is one mail address with the name shown beside it.
type Address struct {
	Name string // as written, cleaned; may be empty
	Addr string // local@domain, as written; empty when none could be read
}

// Attachment is a part that was not read as text.
type Attachment struct {
	Name string // cleaned file name; may be empty
	Type string // media type, lower case
	Size int64  // bytes as encoded in the mail; 0 when unknown
}

// Message is one mail, understood. Every string in it is valid UTF-8, cleaned
// of control and bidirectional-override characters, and bounded in length; it
// is still hostile text and must be escaped at each way out.
type Message struct {
	// ID is the mail's identity: a digest of what does not change under way.
	// The same mail in another folder, under another UID or after a change of
	// UIDVALIDITY has the same ID.
	ID string

	// Where it was read. Empty and zero for a mail that came from a file.
	Account     string // name of the mailbox in the configuration
	Folder      string
	UIDValidity uint32
	UID         uint32

	Received time.Time // INTERNALDATE; for a mail from a file, its newest Received header, else Date
	Size     int64     // RFC822.SIZE, bytes

	MessageID  string // without angle brackets; may be empty, repeated or hostile
	InReplyTo  []string
	References []string

	Date    time.Time // the sender's claim; zero when unreadable
	From    Address   // who wrote it: From, or whom a form, a help desk or a group of the team sends for
	Via     Address   // the address in From when it is not the writer's; without From, who handed the mail over
	To      []Address
	Subject string

	Text  string // the whole readable body
	Reply string // what the sender wrote this time: no quoted history, no signature

	Automated       Automated
	Sign            string // the sign that told it was automated, in words
	FailedRecipient string // of a bounce
	Authenticated   Authentication

	Attachments []Attachment
	Defects     []string // what was wrong with the mail and how it was read anyway
	Problem     string   // why the mail could not be read; empty almost always
}

// Cursor is how far a folder has been read. It is stored in the transaction of
// the batch that moved it.
type Cursor struct {
	Account     string
	Folder      string
	UIDValidity uint32
	UID         uint32 // the highest UID taken

	// History is read after the new mail, newest first: HistoryUID is the
	// lowest UID taken so far (0: not begun) and HistoryDone that the start of
	// the wanted history was reached.
	HistoryUID  uint32
	HistoryDone bool
	// NewAfter, when a folder that was read before had to be begun anew (its
	// UIDVALIDITY changed), is how far it had been read, in seconds since 1970:
	// what arrived later is new whatever its UID. 0 means that UIDs decide.
	NewAfter int64 `json:",omitempty"`

	// Counts since the first start: mails taken as new; UIDs above the cursor
	// that were gone when it came to them, moved or deleted before they were
	// read; new mails first seen here because the folder is one that people move
	// mail to.
	Taken, Left, Found int64 `json:",omitempty"`
}

// Batch is what one fetch brought, and the cursor that is true once it is
// stored.
type Batch struct {
	Messages []Message
	Next     Cursor
	// Gone are UIDs that the server named and then no longer had: moved or
	// deleted by a person before Tocsin read them.
	Gone []uint32
	// Filed tells that the folder is one that people move mail to: what is first
	// seen here had left another folder unread.
	Filed bool
	// Total and Done tell how far a first synchronisation has come, in
	// messages; both are 0 when there is nothing to wait for.
	Total, Done int
}
