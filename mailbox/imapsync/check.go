package imapsync

import (
	"context"
	"fmt"
)

// List signs in and names the folders that can be opened.
func List(ctx context.Context, a Account) ([]string, error) {
	a = a.withDefaults()
	s, err := dial(ctx, &a)
	if err != nil {
		return nil, err
	}
	defer s.logout()
	names, err := s.list(ctx)
	if err != nil {
		return nil, orDone(ctx, &Error{Account: a.Name, What: "cannot list folders", Err: err})
	}
	return names, nil
}

// Report is what Check found.
type Report struct {
	Messages uint32 // in the folder
	Idle     bool   // whether the server tells of new mail at once
	Server   string // host and port
}

// String says it in a sentence.
func (r Report) String() string {
	how := "it tells of new mail at once (IDLE)"
	if !r.Idle {
		how = "it has no IDLE: new mail is seen at the next poll"
	}
	return fmt.Sprintf("%s: %d messages; %s", r.Server, r.Messages, how)
}

// Check signs in and opens a folder for reading, as Folder will.
func Check(ctx context.Context, a Account, folder string) (Report, error) {
	f := NewFolder(a, folder)
	if err := f.connect(ctx); err != nil {
		return Report{}, err
	}
	defer f.Close()
	return Report{Messages: f.examine.NumMessages, Idle: f.canIdle(), Server: f.acct.address()}, nil
}
