package detect

import (
	"math"
	"testing"
	"time"
)

// TestSimulateTellsWhatWouldBeCaught: a large surge pages soon and nearly
// always, a small one seldom, and the same question has the same answer.
func TestSimulateTellsWhatWouldBeCaught(t *testing.T) {
	x := Scenario{Background: 3, Surge: 30, Hour: 10, Weeks: 5, Runs: 20, Seed: 1}
	large, err := Simulate(x, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if large.Paged < 19 || large.Complaints < leastPeople || large.Complaints > 12 || large.After > 30*time.Minute {
		t.Errorf("30 an hour on top of 3: %+v", large)
	}
	if again, _ := Simulate(x, Options{}); again != large {
		t.Errorf("asked again it is %+v, and was %+v", again, large)
	}
	x.Surge, x.Lasts = 1, 30*time.Minute
	if small, err := Simulate(x, Options{}); err != nil || small.Paged > 2 {
		t.Errorf("half a complaint in half an hour: %+v, %v", small, err)
	}
}

// TestSimulateKnowsTheNight: what surges at night stands out from little.
func TestSimulateKnowsTheNight(t *testing.T) {
	x := Scenario{Background: 8, Surge: 12, Weeks: 3, Runs: 9, Seed: 1}
	at := map[int]Outlook{}
	for _, x.Hour = range []int{3, 13} {
		o, err := Simulate(x, Options{})
		if err != nil {
			t.Fatal(err)
		}
		at[x.Hour] = o
	}
	if night, day := at[3], at[13]; night.Normal > 0.5*day.Normal || night.Complaints >= day.Complaints || night.Complaints > night.MostComplaints {
		t.Errorf("at 3:00 %+v, at 13:00 %+v", night, day)
	}
}

func TestSimulateRefusesWhatCannotBe(t *testing.T) {
	for name, x := range map[string]Scenario{
		"no surge":          {Background: 1},
		"below zero":        {Background: -1, Surge: 1},
		"no number":         {Background: math.NaN(), Surge: 1},
		"surge no number":   {Background: 1, Surge: math.NaN()},
		"endless":           {Background: math.Inf(1), Surge: 1},
		"endless surge":     {Background: 1, Surge: math.Inf(1)},
		"fewer than none":   {Background: 1, Surge: 1, Runs: -1},
		"the 25th hour":     {Background: 1, Surge: 1, Hour: 24},
		"a million runs":    {Background: 1, Surge: 1, Runs: 1_000_000},
		"a thousand weeks":  {Background: 1, Surge: 1, Weeks: 1000},
		"a surge of a week": {Background: 1, Surge: 1, Lasts: 168 * time.Hour},
	} {
		if o, err := Simulate(x, Options{}); err == nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
