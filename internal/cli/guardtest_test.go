package cli

import "testing"

// TestTrialsSeeWhatGoesThrough: what is not refused is no success of guard test, and
// every call that changes something is counted. Making and dropping a change set, and
// its shell, is none.
func TestTrialsSeeWhatGoesThrough(t *testing.T) {
	t.Parallel()
	alone := map[string]string{"config/dev/app.yaml": "template: {type: file, path: queue.yaml}\n"}
	launch := attempt{args: "launch prod", typed: trialPhrase, terminal: true}
	tests := map[string]struct {
		trial  trial
		exit   int
		writes int
	}{
		"a launch":       {trial{files: alone, try: attempt{args: "launch dev --yes"}, exit: exitRefused}, exitOK, 1},
		"of production":  {trial{try: launch}, exitOK, 2}, // its protection, and the change set carried out
		"a policy":       {trial{before: []attempt{launch}, try: attempt{args: "set-policy prod -b deny-all", typed: trialPhrase, terminal: true}}, exitOK, 1},
		"a release":      {trial{before: []attempt{launch}, try: attempt{args: "guard release prod --reason x", typed: trialPhrase, terminal: true}}, exitOK, 1},
		"a change set":   {trial{try: attempt{args: "create prod mine"}}, exitOK, 0},
		"only proposed":  {trial{try: attempt{args: "launch prod", typed: "n\n", terminal: true}, exit: exitRefused}, exitUnconfirmed, 0},
		"another code":   {trial{try: attempt{args: "launch prod --yes"}, exit: exitRefused}, exitUnconfirmed, 0},
		"a silent error": {trial{try: attempt{args: "plan dev --exit-code"}, exit: exitChanges}, exitChanges, 0},
	}
	for name, tt := range tests {
		v, err := (&app{}).attempt(t.TempDir(), tt.trial)
		if err != nil {
			t.Fatal(err)
		}
		if v.OK || v.Exit != tt.exit || v.Writes != tt.writes {
			t.Errorf("%s: %+v, want exit %d and %d writes", name, v, tt.exit, tt.writes)
		}
	}
}
