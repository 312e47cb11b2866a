package classify

// Taxonomy is an ordered set of categories. The first ones are the more urgent.
type Taxonomy []Category

// Other is the category of what no other category claims.
const Other = "other"

// DefaultTaxonomy is the one that works with no training.
func DefaultTaxonomy() Taxonomy {
	return Taxonomy{
		{"login", "can't log in", "cannot sign in, locked out, or thrown out of the session", "access", RingsPage},
		{"signup", "can't sign up", "cannot create, confirm or activate a new account", "access", RingsPage},
		{"password", "password or code trouble", "forgot the password, or a reset link or one-time code fails or does not come", "access", RingsPage},
		{"payment", "payment failed", "a payment, card or checkout fails now", "", RingsPage},
		{"billing", "billing", "a charge, refund, invoice, price or fee is wrong or wanted", "", RingsDigest},
		{"outage", "service down", "the whole service is down or unreachable", "", RingsPage},
		{"slow", "too slow", "it works, but too slowly, or times out", "", RingsPage},
		{"bug", "something broken", "one feature fails, crashes or shows something wrong", "", RingsHigh},
		{"data", "data lost or wrong", "data are lost, wrong, or shown to somebody else", "", RingsPage},
		{"email_delivery", "mails do not arrive", "mails or notifications the product should send do not arrive", "", RingsPage},
		{"cancel", "cancellation", "want to cancel, or to have the account deleted", "", RingsDigest},
		{"feature", "feature request", "ask for something that does not exist", "", RingsDigest},
		{"question", "question", "ask how to do something, or want information", "", RingsDigest},
		{"praise", "praise", "thanks, praise, or \"works again\"", "", RingsNever},
		{Other, "other", "spam, bulk mail, automatic replies, unrelated", "", RingsNever},
	}
}

// Find returns the category of that name.
func (t Taxonomy) Find(name string) (Category, bool) {
	for _, c := range t {
		if c.Name == name {
			return c, true
		}
	}
	return Category{}, false
}
