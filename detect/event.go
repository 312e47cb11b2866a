// Package detect decides when complaints surge: how many are normal at this
// hour, whether more are coming than chance allows, since when, and which
// deployment is to blame.
//
// Its nouns are Complaint, Deployment, Decision, Incident and Change. The
// Detector is a fold: complaints, deployments, decisions and ticks of time go
// in, changes of incidents come out. It has no clock, does no I/O, starts no
// goroutine and takes no lock; what was fed decides alone what comes out, so
// the running worker, the backtest and the demo are the same code.
//
// What it is worth was measured on simulated inboxes of 0.5 to 110 complaints
// an hour: 8 weeks to learn from and 12 scored, noise that lasts over hours,
// trend, holidays, four deployments a working day. The threshold was learned,
// from a budget of one false page in 30 days. Large surges (TestStudy: 235 in
// 10 inboxes, and 10 inboxes without), small ones (TestHarderStudy: 227 in 10)
// and small ones among decoys, which are outages of the inbox and their
// backlog, firms that write together, and angry customers:
//
//	                                found  false pages in 30 days  complaints until the page, median
//	                                       mean  worst inbox       sharp  deployed  ramp  three kinds  3x
//	large surges                    99 %   0.68  1.43              6      5         6.5   7            7
//	no surges                              0.86  1.43
//	small surges                    85 %   0.50  1.79              6      4         7     8            7
//	small surges among decoys       82 %   0.75  2.14              6      4.5       8     9            7.5
//	large surges, 4 in 30 days      98 %   3.47  5.72              5      4         5.5   6            6
//
// A share found says nothing without another method on the same surges. These
// are told their threshold, the lowest with at most one false page in 30 days
// (TestPeers), which takes the truth to know; the detector has to learn its own:
//
//	                                large surges  small  small among decoys
//	detector, threshold learned     99 %          85 %   82 %
//	mean + k sd by hour of week     90 %          55 %   33 %
//	max(5, 3 x median), robust z    90 %          42 %   25 %
//	EARS C1                         63 %          37 %   33 %
//	fixed N in an hour              57 %          21 %   20 %
//
// On a second simulator, written apart from this study, with 16 kinds of surges,
// it found 92 % of 1122, at 0.64 and 0.87 false pages in 30 days (worst inbox
// 2.86), sharp ones after 6.5 and 7 complaints (4.5 and 5.5 after a deployment),
// three kinds at once after 10 and 11. On streams of quite another nature (bursts
// with heavy tails, self-exciting, on the clock, shifting level; two sets of 64)
// it made 0.78 and 0.90 false pages in 30 days (worst 4.64 and 7.14).
//
// What it does not do well: of the surges that a deployment caused, that one is
// named in 69 to 77 % of the pages here; of the others, 7 to 13 % name an
// innocent one, since four deployments a day precede much by a few minutes. A
// level that doubles for good rings daily for some two weeks. Mails that a job
// sends each week in one minute, stories that dozens write about at once and
// inboxes that double each month ring two or three times as often as asked.
// Several rules were chosen with these simulations in sight, and real mail
// scatters more than they do: expect worse.
package detect

import "time"

// Complaint is one mail that says something is wrong now, ready to be counted.
type Complaint struct {
	At          time.Time // arrival, never the sender's Date
	Category    string
	Complainant string // who it counts for: a normalised address
	// Organisation is the complainant's business domain, "" for a freemail
	// address: several colleagues count up to a cap.
	Organisation string
	MessageID    string // id of the stored message; may be empty in a backtest
	// Print is a fingerprint of the words (0: none). Complaints with equal
	// prints, whoever sent them, count once.
	Print uint64
	// FollowUp marks a further mail in a thread already counted.
	FollowUp bool
	// History marks mail that had arrived before Tocsin first ran: it teaches
	// what is normal and never rings, however young it is.
	History bool
	// Unauthenticated marks a sender whom the mail server could not confirm.
	Unauthenticated bool
	// Streams are further streams the complaint belongs to, beside its
	// category: unnamed trouble found by its words.
	Streams []string
}

// Package is one entry of a lockfile.
type Package struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Ecosystem string `json:"ecosystem,omitempty"` // npm, PyPI, Go, RubyGems, crates.io, Packagist, NuGet
	Direct    bool   `json:"direct,omitempty"`
	Dev       bool   `json:"dev,omitempty"`
}

// PackageChange is a difference between the packages of a deployment and the
// one before it.
type PackageChange struct {
	Name      string   `json:"name"`
	Ecosystem string   `json:"ecosystem,omitempty"`
	From      []string `json:"from,omitempty"` // versions before; empty when added
	To        []string `json:"to,omitempty"`   // versions after; empty when removed
	Kind      string   `json:"kind"`           // added, removed, upgraded, downgraded, major
	Direct    bool     `json:"direct,omitempty"`
	Dev       bool     `json:"dev,omitempty"`
}

// Deployment is a change of what customers use: a release, a roll-back, a
// configuration change, a feature flag, or an announced campaign.
type Deployment struct {
	ID          string          `json:"id"`
	Service     string          `json:"service"`
	Version     string          `json:"version"`
	Environment string          `json:"environment,omitempty"`
	Kind        string          `json:"kind,omitempty"` // "" or "release", "rollback", "config", "flag", "campaign"
	At          time.Time       `json:"time"`
	Failed      bool            `json:"failed,omitempty"`
	Elsewhere   bool            `json:"elsewhere,omitempty"` // by configuration not production: never suspected
	Commit      string          `json:"commit,omitempty"`
	Link        string          `json:"url,omitempty"`
	Actor       string          `json:"actor,omitempty"`
	Source      string          `json:"source,omitempty"` // api, github, gitlab, …
	Rollback    bool            `json:"rollback,omitempty"`
	Changes     []PackageChange `json:"changes,omitempty"` // against the deployment before, all of them
}

// Verb is what a person decided about an incident.
type Verb string

// The decisions. Correct is about a message, the others about an incident.
const (
	Acknowledge Verb = "acknowledge"
	Resolve     Verb = "resolve"
	Dismiss     Verb = "false-alarm"
	Note        Verb = "note"
)

// Decision is what a person said of an incident.
type Decision struct {
	Incident string
	Verb     Verb
	Who      string
	Note     string
	At       time.Time
}

// Relabel moves a complaint already counted from one category to another,
// after a correction. An empty From or To means that it was or is no complaint.
type Relabel struct {
	Complaint Complaint // as counted, with its own time; Category is the old one
	To        string
	At        time.Time // when it was corrected
}

// Gap is a time in which the inbox was not read: it is taken out of what the
// baseline learns from.
type Gap struct {
	From, To time.Time
}

// Outcome is how many attempts at something succeeded and failed in the minute
// that begins At: the second signal beside complaints.
type Outcome struct {
	At                time.Time
	Service, Action   string // action as a category names it: login, signup, payment
	Succeeded, Failed int
}

// Trouble is a fault of Tocsin itself (a mailbox that cannot be read, a pager
// that refuses, a full disk) or of a deployment (an outdated core package). It
// becomes an incident of its own, and is over when Over is set.
type Trouble struct {
	At   time.Time
	Kind string // blind, pager, disk, clock, dependency
	Key  string // what it is about, such as the mailbox's name: one incident each
	Text string // one sentence for a person
	Page bool   // whether it is worth waking somebody
	Over bool
}
