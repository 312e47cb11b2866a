// Package worker runs the pipeline: mail in, verdicts, store, detector, pages
// out. It owns every goroutine of a running Tocsin.
package worker

import "time"

// FolderStatus is how a folder of a mailbox is doing.
type FolderStatus struct {
	Mailbox    string    `json:"mailbox"`
	Folder     string    `json:"folder"`
	State      string    `json:"state"`     // connecting, catching up, watching, failing
	LastRead   time.Time `json:"last_read"` // last time it was known to be read to its end
	LastMail   time.Time `json:"last_mail"` // arrival of the newest mail stored
	Error      string    `json:"error,omitempty"`
	ErrorSince time.Time `json:"error_since,omitzero"`
	Blind      bool      `json:"blind"`
	Done       int       `json:"done,omitempty"`  // of a long read, in messages
	Total      int       `json:"total,omitempty"` // 0: none is under way
	Rate       float64   `json:"per_second,omitempty"`

	readAt time.Time // LastRead in machine time, which no jump of the clock moves
}

// Remaining is how much longer a long read will take at its present rate; 0
// when that cannot be told.
func (f FolderStatus) Remaining() time.Duration {
	if f.Rate <= 0 || f.Total <= f.Done {
		return 0
	}
	return (time.Duration(float64(f.Total-f.Done) / f.Rate * float64(time.Second))).Round(time.Second)
}

// PagerStatus is how a pager is doing.
type PagerStatus struct {
	Pager         string    `json:"pager"`
	Pending       int       `json:"pending"`
	LastDelivered time.Time `json:"last_delivered,omitzero"`
	Error         string    `json:"error,omitempty"`
	ErrorSince    time.Time `json:"error_since,omitzero"`
}

// Status is the state of a running Tocsin.
type Status struct {
	Version string         `json:"version"`
	Now     time.Time      `json:"now"` // the inbox's time, which the demo replays
	Started time.Time      `json:"started"`
	Folders []FolderStatus `json:"folders"`
	Pagers  []PagerStatus  `json:"pagers"`
	Full    bool           `json:"disk_full,omitempty"` // the disk is nearly so
	Notice  string         `json:"notice,omitempty"`    // such as: learning what is normal, 9 of 14 days

	Unlearned string `json:"corrections_not_learned,omitempty"` // why people's corrections are not in the model
}
