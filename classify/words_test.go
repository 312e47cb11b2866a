package classify

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// counted are the numbers of a text's known terms as judging counts them.
func counted(v *vocabulary, t Text) map[int32]float32 {
	r := v.read(t)
	defer v.done(r)
	n := map[int32]float32{}
	for _, c := range r.counts {
		n[c.id] += c.n
	}
	return n
}

// taken are the same as training finds them.
func taken(v *vocabulary, t Text) map[int32]float32 {
	var r reading
	r.take(t)
	n := map[int32]float32{}
	for _, x := range r.terms {
		if id := v.find(x.hash); id >= 0 {
			n[id]++
		}
	}
	return n
}

func TestAMailIsJudgedByTheTermsThatTrainingFinds(t *testing.T) {
	v := Default().vocab
	held := readJSONL(t, "testdata/heldout.jsonl")
	var all strings.Builder
	for i, l := range held {
		if all.WriteString(l.Text + "\n"); i%12 == 11 { // of many different words
			held = append(held, labelled{Example: Example{Text: all.String()}})
			all.Reset()
		}
	}
	texts := append([]string{strings.Repeat("I can't log in, the page says my password isn't right. Please help? ", 15)}, hostile...)
	for _, l := range held {
		texts = append(texts, l.Text)
	}
	for _, s := range texts {
		if got, want := counted(v, Text{Body: s}), taken(v, Text{Body: s}); !reflect.DeepEqual(got, want) {
			t.Errorf("%.60q: judging counts %d terms, training finds %d, or not as often", s, len(got), len(want))
		}
	}
}

func TestAVerdictIsTheSameWhateverWasJudgedBefore(t *testing.T) {
	texts := []string{"I can't log in since this morning, the reset link doesn't come either", "Wo finde ich die Rechnung für März?"}
	for i := range 600 {
		texts = append(texts, fmt.Sprintf("l%dgin wörd%d o'word%d passw0rd%d export%x", i, i, i, i, i*7919))
	}
	fresh, err := Default().With(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]Verdict, len(texts))
	for i, s := range texts {
		fresh.vocab = Default().vocab.with(Default().vocab.weights) // which has met no word
		want[i] = fresh.Classify(Text{Body: s})
	}
	m := Default()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for k := range texts {
				i := (k*(2*w+1) + w) % len(texts)
				if got := m.Classify(Text{Body: texts[i]}); !reflect.DeepEqual(got, want[i]) {
					t.Errorf("%q = %+v, want %+v", texts[i], got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func TestWhatIsSaidAfterTheFirstPageIsNotJudged(t *testing.T) {
	page := strings.Repeat("the invoice of may is wrong ", maxWords/6+1)
	more := strings.Repeat("and I cannot log in ", 20)
	m := Default()
	if a, b := m.Classify(Text{Body: page}), m.Classify(Text{Body: page + more}); !reflect.DeepEqual(a, b) {
		t.Errorf("a page about an invoice is %+v, and with more after it %+v", a, b)
	}
}

func TestAWordThatIsRememberedKeepsNoMail(t *testing.T) {
	m := Default()
	heap := func() int64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	before := heap()
	for i := range 64 {
		m.Classify(Text{Body: fmt.Sprintf("qzx%c%c ", 'a'+i%26, 'a'+i/26) + strings.Repeat("x ", 1<<19)})
	}
	if kept := heap() - before; kept > 16<<20 {
		t.Errorf("64 mails of 1 MB, each with a new word, left %d MB in memory", kept>>20)
	}
	runtime.KeepAlive(m)
}

// Chinese, Japanese and Thai are written without spaces: the end of a sentence
// must tell as much as its beginning, and the phrase shown is a part of it.
func TestALanguageWithoutSpacesIsLearned(t *testing.T) {
	begins := []string{"我们公司一直在用这个软件已经很久了一直以来都很满意但是从昨天晚上开始", "您好，我是你们的老客户了最近", ""}
	var examples []Example
	for category, says := range map[string][]string{
		"login": {"无法登录我的账户", "登录不了", "登录页面打不开"}, "billing": {"发票金额不对", "多收了我的钱请退款", "账单有错误请退款"},
	} {
		for _, says := range says {
			for _, begin := range begins {
				examples = append(examples, Example{Text: begin + says, Category: category})
			}
		}
	}
	slices.SortFunc(examples, func(a, b Example) int { return strings.Compare(a.Text, b.Text) })
	m, r, err := Train(t.Context(), examples, TrainOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Accuracy < 1 {
		t.Errorf("of held-back texts %.0f %% were right", 100*r.Accuracy)
	}
	begin := "打扰一下我想反映一个情况，我们公司一直在用这个软件已经很久了到现在为止"
	for says, want := range map[string]string{"登录失败了": "login", "请退款": "billing"} {
		v := m.Classify(Text{Body: begin + says})
		if v.Category != want || len(v.Evidence) == 0 || !strings.Contains(says, v.Evidence[0].Phrase) {
			t.Errorf("%s = %+v, want %s", says, v, want)
		}
	}
	if v := m.Classify(Text{Body: "เข้าสู่ระบบไม่ได้"}); v.Category != Other {
		t.Errorf("a language that was not learned = %+v", v)
	}
}
