// Package classify turns the words of a mail into a verdict: the kind of
// complaint, how sure that is, and the phrases that decided.
//
// Its nouns are Text, Verdict, Category and Model. A Model is immutable and
// safe for concurrent use; learning from a correction makes a new one. The
// package touches no network and no file.
//
// A model is a multinomial logistic regression on words, pairs of words, runs
// of letters and the concepts of the lexicon (features.go, concepts.go,
// softmax.go). The built-in one is trained on the mails in the folder seeds;
// Train makes one of any other texts. How sure a verdict is was fitted on texts
// that a model had not seen (confidence.go).
//
// # Figures
//
// On BANKING77 (Casanueva et al. 2020), a fifth of whose training texts was
// held back, accuracy in %; with few texts a class the mean of three draws. The
// logistic regression and the SVM are scikit-learn's, on TF-IDF of words 1-2 and
// letters 3-5, on the same fifth:
//
//	texts a class      5     10     20    all (7,970)
//	classify        68.1   75.5   81.7   91.9
//	logistic, C=10  61.8   73.0   81.0   90.95
//	SVM, C=1        59.7   70.8   80.0   90.95
//
// The built-in model on support mails that were written without sight of lexicon
// and seeds, 788 by one hand and 400 by another (testdata), as "tocsin classify"
// sorts them, in %: accuracy; how many of the complaints about login, sign-up
// and passwords it names one of the three for, and how many of the mails for
// which it does are some; how many of the mails that should not page get a
// category that may; and the calibration error. The bounds of decide.go were
// chosen on the seeds with an eye on these totals.
//
//	     accuracy  access: recall, precision  false pages  calibration
//	788    87.9            90.1       96.3        1.4         0.022
//	400    89.0            90.1       96.7        0.0         0.031
//
// A mail of more than 40 words is listened to sentence by sentence, up to 1,500
// words (letter.go). Between 60 and 400 words of small talk in four languages
// (testdata/letters), of which the seeds have none, in %: how many of 208
// complaints about access count, and how many of 232 long mails that should not
// page would, by the whole alone and by the sentences; and the same of 128 and
// 184 made of what was written after the numbers of letter.go were chosen on the
// first, but that unknown words count against the whole too.
//
//	                       whole  sentences  later: whole  sentences
//	complaints that count   70.7       85.6          78.9       87.5
//	false pages             47.8        2.2          75.0        1.1
//
// Seeds that are not hard, by models that had not seen them: 84.9 % of the
// access complaints are found bare and 60.7 % between small talk, at a precision
// of 94.6 and 95.6 %; false pages 4.1 and 0.8 %, calibration error 0.031 and
// 0.050.
//
// Trained again with a seed more or less, each of these moves by a mail or two.
// The seeds are harder, 74 % by cross-validation; confidence is fitted on those
// that were not written to be hard. Rules written by hand reach 47 % of the 788.
package classify

// Text is what is judged: the sender's own words, without quoted history and
// signature.
type Text struct {
	Subject   string
	Body      string
	Automated string // as mailbox says: "" for a person's mail
}

// Evidence is one phrase that spoke for the verdict.
type Evidence struct {
	Phrase string  `json:"phrase"` // as the sender wrote it
	Weight float64 `json:"weight"` // share of the decision, 0 to 1
}

// Verdict is what a mail was judged to be.
type Verdict struct {
	Category   string     // name in the taxonomy, never empty
	Confidence float64    // calibrated probability that Category is right, 0 to 1
	Complaint  bool       // whether mails of Category count: towards a page, or in the digest
	Language   string     // ISO 639-1, "" when unsure
	Evidence   []Evidence // strongest first
	Model      string     // which model judged, for "why was this sorted so"
}

// Rings says what a surge of a category may do.
type Rings string

// The levels of a category.
const (
	RingsPage   Rings = "page"   // a surge pages
	RingsHigh   Rings = "high"   // a surge pages, at a higher threshold
	RingsDigest Rings = "digest" // counted and reported weekly
	RingsNever  Rings = "never"  // no complaint
)

// pages tells whether a surge of the category can page.
func (c Category) pages() bool { return c.Rings == RingsPage || c.Rings == RingsHigh }

// Category is one kind of mail.
type Category struct {
	Name  string // what is stored and shown: "login"
	Title string // in a sentence: "can't log in"
	About string // when a mail belongs here, in one line
	Group string // categories of one group are one trouble to a pager: "access"
	Rings Rings
}
