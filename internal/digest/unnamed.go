package digest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tocsin/classify"
	"tocsin/store"
)

// Unnamed is trouble for which there is no category: several customers wrote
// near alike, in mail sorted as "other" or "bug".
type Unnamed struct {
	Phrase  string   `json:"phrase"`
	Mails   int      `json:"mails"` // of so many customers
	Samples []Sample `json:"samples"`
}

// How far back the usual is read, how much of it there must be, since against
// nothing everything is unusual, and how many groups are shown.
const (
	usualDays  = 28
	leastUsual = 20 // mails
	maxUnnamed = 5
)

// FindUnnamed groups the mail of a span against that of the four weeks before:
// the newest mails of each category, one of each customer.
func FindUnnamed(s *store.Store, from, to time.Time) ([]Unnamed, error) {
	entries, groups, _, err := groupUnnamed(s, from, to)
	var list []Unnamed
	for _, g := range groups {
		u := Unnamed{Phrase: g.Phrase, Mails: len(g.Texts)}
		for _, i := range g.Texts[:min(len(g.Texts), maxSamples)] {
			u.Samples = append(u.Samples, Sample{entries[i].ID, entries[i].Subject})
		}
		list = append(list, u)
	}
	return list, err
}

func groupUnnamed(s *store.Store, from, to time.Time) ([]store.Entry, []classify.Group, []string, error) {
	entries, texts, err := unnamedTexts(s, from, to)
	if err != nil || len(texts) == 0 {
		return nil, nil, nil, err
	}
	_, usual, err := unnamedTexts(s, from.AddDate(0, 0, -usualDays), from)
	if err != nil || len(usual) < leastUsual {
		return nil, nil, nil, err
	}
	return entries, classify.Groups(texts, usual, maxUnnamed), texts, nil
}

func unnamedTexts(s *store.Store, from, to time.Time) (entries []store.Entry, texts []string, err error) {
	seen := map[string]bool{}
	for _, category := range []string{classify.Other, "bug"} {
		p, err := s.Messages(store.Query{From: from, To: to, Category: category, Automated: "without", Limit: maxTexts})
		if err != nil {
			return nil, nil, err
		}
		for _, e := range p.Entries {
			who := e.Complainant()
			if e.TextGone || seen[who] {
				continue
			}
			seen[who] = who != ""
			text := e.Subject + "\n" + e.Reply
			entries, texts = append(entries, e), append(texts, strings.ToValidUTF8(text[:min(len(text), maxText)], ""))
		}
	}
	return entries, texts, nil
}

func (d *Digest) unnamed(_ context.Context, o *Options, w Week) (err error) {
	d.Unnamed, err = FindUnnamed(o.Store, w.From, w.To)
	return err
}

// Line says it in words.
func (u Unnamed) Line() string {
	return fmt.Sprintf("%d customers write about “%s”", u.Mails, clip(oneLine(u.Phrase), 60))
}
