package classify

import (
	"strings"
	"testing"
)

// BenchmarkClassifyLong judges a mail of 8 KB.
func BenchmarkClassifyLong(b *testing.B) {
	text := strings.Repeat("Dear support team, we have been using your product for two years and were always happy with it, but today the export of the quarterly report does not work: it ends with an error after some minutes.\n", 40)
	for b.Loop() {
		Default().Classify(Text{Subject: "Export of the report", Body: text})
	}
}
