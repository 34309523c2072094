package cli

import (
	"slices"
	"strconv"
	"strings"
)

// trial is one thing that a guard has to refuse, tried in a project and a
// sandbox of its own.
type trial struct {
	rule   string
	what   string
	files  map[string]string // put over those of every trial
	before []attempt         // what has to happen first, and has to go well
	then   map[string]string // put over the files after that
	edit   edit              // made after that
	reseal bool              // and the plan file gets a digest that fits, as anybody can give it one
	try    attempt
	exit   int
}

// attempt is one command, at a terminal or not.
type attempt struct {
	args     string
	typed    string
	terminal bool
	vars     map[string]string
	exit     int // what it ends with where it is made before a trial
}

const (
	trialAccount = "123456789012"
	trialPhrase  = "prod 1 changes 0 deletes\n"
	trialPlan    = "f.plan"
	trialBucket  = "trial-state"
	trialProd    = "config/prod/config.yaml"
	trialLock    = `{"environment":"prod","run":"another","command":"launch","owner":{"arn":"arn:aws:iam::` + trialAccount + `:user/alice","account":"` + trialAccount + `"},"host":"elsewhere","pid":1,"taken":"2026-01-01T00:00:00Z","beat":"2999-01-01T00:00:00Z"}`
)

func trialFiles() map[string]string {
	return map[string]string{
		"config/config.yaml":      "project_code: trial\nproject_id: 0123456789abcdef\nregion: eu-west-1\n",
		"config/prod/config.yaml": block(""),
		"config/prod/queue.yaml":  "template: {type: file, path: queue.yaml}\n",
		"config/dev/config.yaml":  "environment: {class: development}\n",
		"config/dev/app.yaml":     "template: {type: file, path: queue.yaml}\ndependencies: [prod/queue.yaml]\n",
		"templates/queue.yaml":    "Resources:\n  Orders: {Type: \"AWS::SQS::Queue\"}\n",
	}
}

// block is prod's environment block with more in it.
func block(more string) string {
	return "environment:\n  class: production\n  accounts: [\"" + trialAccount + "\"]\n" + more
}

// by makes an attempt that of a user.
func (t attempt) by(user string) attempt {
	t.vars = map[string]string{"DEPLOYER_SANDBOX_USER": user}
	return t
}

// trials are the refusals by the number of their rules: those of the rules one by
// one, those of a plan file on its way, of people, and of what is lost.
func trials() []trial {
	all := slices.Concat(ruleTrials(), planTrials(), peopleTrials(), lossTrials())
	number := func(rule string) int {
		n, err := strconv.Atoi(strings.TrimPrefix(rule, "P"))
		if err != nil {
			return len(all) // a rule without a number
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b trial) int { return number(a.rule) - number(b.rule) })
	return all
}

// planTrials go from one job that plans to another that applies.
func planTrials() []trial {
	needs := map[string]string{trialProd: block("  state: {bucket: " + trialBucket + "}\n  guard: {approvals: 1, approvers: [\"arn:aws:iam::*:user/*\"]}\n")}
	planned := attempt{args: "plan prod --out " + trialPlan}.by("bob")
	approved := attempt{args: "approve --plan " + trialPlan + " --digest $DIGEST"}.by("alice")
	apply := attempt{args: "launch --plan " + trialPlan + " --digest $DIGEST"}.by("carol")
	both := []attempt{planned, approved}
	return []trial{
		{rule: "P5", what: "a digest that nobody reviewed", before: []attempt{planned}, try: attempt{args: "launch --plan " + trialPlan + " --digest sha256:0"}, exit: exitStale},
		{rule: "P5", what: "a plan edited by one byte", before: []attempt{planned}, edit: edit{trialPlan, `"path": "prod"`, `"path": "prof"`}, try: apply, exit: exitStale},
		{rule: "P4", what: "dropping a plan by a y", before: []attempt{planned}, try: attempt{args: "plan discard " + trialPlan, typed: "y\n", terminal: true}, exit: exitUnconfirmed},
		{rule: "P5", what: "dropping a plan by its file alone", before: []attempt{planned}, try: attempt{args: "plan discard " + trialPlan}, exit: exitUnconfirmed},
		{rule: "P5", what: "dropping another plan than was meant", before: []attempt{planned}, try: attempt{args: "plan discard " + trialPlan + " --digest sha256:0"}, exit: exitStale},
		{rule: "P12", what: "dropping a plan while somebody is at it", before: []attempt{planned}, then: map[string]string{".deployer/sandbox/state/locks/prod.json": trialLock}, try: attempt{args: "plan discard " + trialPlan + " --digest $DIGEST"}, exit: exitLocked},
		{rule: "P4", what: "dropping old plans by --yes", before: []attempt{planned}, try: attempt{args: "prune prod --stale-plans --older-than 1s --yes"}, exit: exitUnconfirmed},
		{rule: "P5", what: "a config that moved since the plan", before: []attempt{planned}, edit: edit{"templates/queue.yaml", "Resources:", "Description: other\nResources:"}, try: apply, exit: exitStale},
		{rule: "P5", what: "a plan for another account", before: []attempt{planned}, try: attempt{args: apply.args, vars: map[string]string{"DEPLOYER_SANDBOX_ACCOUNT": "999999999999"}}, exit: exitStale},
		{rule: "P4", what: "--yes with a plan", before: []attempt{planned}, try: attempt{args: apply.args + " --yes"}, exit: exitUnconfirmed},
		{rule: "P6", what: "a plan that nobody approved", files: needs, before: []attempt{planned}, try: apply, exit: exitUnconfirmed},
		{rule: "P6", what: "an approval by the planner", files: needs, before: []attempt{planned}, try: approved.by("bob"), exit: exitRefused},
		{rule: "P6", what: "a plan that names another than its planner", files: needs, before: []attempt{planned}, edit: edit{trialPlan, "user/bob", "user/dave"}, reseal: true, try: apply, exit: exitRefused},
		{rule: "P6", what: "an approval by the one who applies", files: needs, before: both, try: apply.by("alice"), exit: exitUnconfirmed},
		{rule: "P6", what: "an approval that is over", files: needs, before: append(slices.Clone(both), attempt{args: "sandbox advance 5h"}), try: apply, exit: exitUnconfirmed},
		{rule: "P7", what: "a freeze since the approval", files: needs, before: both, edit: edit{trialProd, "approvals: 1", `approvals: 1, freeze: ["2000-01-01/2999-01-01"]`}, try: apply, exit: exitRefused},
	}
}

// peopleTrials are about leases, and about hooks that nobody agreed to.
func peopleTrials() []trial {
	leased := map[string]string{trialProd: block("  guard: {lease: {required: true}}\n")}
	unlock := attempt{args: "unlock prod --reason test", typed: "unlock prod\n", terminal: true}
	launch := attempt{args: "launch prod", typed: trialPhrase, terminal: true}
	hooked := map[string]string{"config/prod/queue.yaml": "template: {type: file, path: queue.yaml}\nhooks: {before_create_change_set: [!cmd \"touch ran\"]}\n"}
	return []trial{
		{rule: "P10", what: "a lease that is over", files: leased, before: []attempt{unlock.by("alice"), {args: "sandbox advance 2h"}}, try: launch.by("alice"), exit: exitRefused},
		{rule: "P10", what: "the lease of another", files: leased, before: []attempt{unlock.by("alice")}, try: launch.by("bob"), exit: exitRefused},
		{rule: "P5", what: "hooks of a change set that nobody agreed to", files: hooked, try: attempt{args: "create prod mine"}, exit: exitUnconfirmed},
		{rule: "P4", what: "hooks of a change set by a y", files: hooked, try: attempt{args: "create prod mine", typed: "y\n", terminal: true}, exit: exitUnconfirmed},
	}
}

// lossTrials are about what is gone for good, and who would miss it.
func lossTrials() []trial {
	launch := attempt{args: "launch prod", typed: trialPhrase, terminal: true}
	relied := map[string]string{
		"config/prod/queue.yaml": "template: {type: file, path: net.yaml}\n",
		"config/prod/user.yaml":  "template: {type: file, path: user.yaml}\nparameters: {Id: !stack_output prod/queue.yaml::Id}\n",
		"templates/net.yaml":     "Resources:\n  Vpc: {Type: \"AWS::EC2::VPC\", Properties: {CidrBlock: 10.0.0.0/16}}\nOutputs:\n  Id: {Value: !Ref Vpc}\n",
		"templates/user.yaml":    "Parameters: {Id: {Type: String}}\nResources:\n  Topic: {Type: \"AWS::SNS::Topic\", Properties: {DisplayName: !Ref Id}}\n",
	}
	return []trial{
		{
			rule: "P8", what: "a holder of data that nobody named", before: []attempt{launch},
			edit: edit{"templates/queue.yaml", "Orders:", "Other:"},
			try:  attempt{args: "launch prod", typed: "prod 1 changes 1 deletes\n", terminal: true}, exit: exitRefused,
		},
		{
			rule: "P8", what: "what another stack uses, and nobody named", files: relied,
			before: []attempt{{args: "launch prod", typed: "prod 2 changes 0 deletes\n", terminal: true}},
			edit:   edit{"templates/net.yaml", "10.0.0.0", "10.1.0.0"},
			try:    attempt{args: "launch prod/queue", typed: "prod 1 changes 1 deletes\n", terminal: true}, exit: exitRefused,
		},
		{
			rule: "P9", what: "making a stack again whose deletion stopped half-way", files: map[string]string{
				"config/shop/config.yaml": "environment: {class: development}\n", "config/shop/queue.yaml": "template: {type: file, path: queue.yaml}\n",
				"fault.yaml": "- {stack: trial-shop-queue, phase: delete, fail: somebody uses it}\n",
			},
			before: []attempt{{args: "launch shop -y"}, {args: "sandbox fault add fault.yaml"}, {args: "delete shop -y", exit: exitFailed}},
			then:   map[string]string{"config/shop/config.yaml": block("")},
			try:    attempt{args: "launch shop", typed: "shop 1 changes 1 deletes\n", terminal: true}, exit: exitRefused,
		},
	}
}

// ruleTrials are the rules, one by one.
func ruleTrials() []trial {
	const prod = trialProd
	launch := attempt{args: "launch prod", typed: trialPhrase, terminal: true}
	launched := []attempt{launch}
	return []trial{
		{rule: "P1", what: "a class that is misspelt", files: map[string]string{prod: "environment: {class: prodution}\n"}, try: launch, exit: exitUsage},
		{rule: "P1", what: "a class that a variable decides", files: map[string]string{prod: "environment:\n  class: {{ var.class }}\n"}, try: attempt{args: "launch prod --var class=development -y"}, exit: exitUsage},
		{rule: "P1", what: "a class weaker than the name", files: map[string]string{prod: "environment: {class: development}\n"}, try: attempt{args: "launch prod -y"}, exit: exitUsage},
		{rule: "P1", what: "no accounts for production", files: map[string]string{prod: "environment: {class: production}\n"}, try: launch, exit: exitUsage},
		{
			rule: "P1", what: "a class weaker than the live tags, and a delete in the same change", before: []attempt{{args: "launch shop", typed: "shop 1 changes 0 deletes\n", terminal: true}},
			files: map[string]string{"config/shop/config.yaml": block(""), "config/shop/queue.yaml": "template: {type: file, path: queue.yaml}\n"},
			then:  map[string]string{"config/shop/config.yaml": "environment: {class: development}\n"},
			try:   attempt{args: "delete shop -y"}, exit: exitRefused,
		},
		{
			rule: "P1", what: "a stack of dev that has the name of one of production", before: launched,
			then: map[string]string{"config/dev/app.yaml": "template: {type: file, path: queue.yaml}\nstack_name: trial-prod-queue\n"},
			try:  attempt{args: "launch dev --yes"}, exit: exitUsage,
		},
		{
			rule: "P1", what: "a class weaker than persistent by --yes", before: []attempt{{args: "launch shop -y"}},
			files: map[string]string{"config/shop/config.yaml": "environment: {class: persistent}\n", "config/shop/queue.yaml": "template: {type: file, path: queue.yaml}\n"},
			then:  map[string]string{"config/shop/config.yaml": "environment: {class: development}\n"},
			try:   attempt{args: "launch shop --adopt -y"}, exit: exitUnconfirmed,
		},
		{
			rule: "P1", what: "another environment of production that takes a live stack by its name", before: launched,
			then: map[string]string{"config/other/config.yaml": block(""), "config/other/queue.yaml": "template: {type: file, path: queue.yaml}\nstack_name: trial-prod-queue\nstack_tags: {a: b}\n", "config/prod/queue.yaml": "template: {type: file, path: queue.yaml}\nstack_name: trial-queue\n"},
			try:  attempt{args: "launch other", typed: "other 1 changes 0 deletes\n", terminal: true}, exit: exitRefused,
		},
		{
			rule: "P1", what: "another project that takes a live stack by its name", before: launched,
			then: map[string]string{"config/config.yaml": "project_code: trial\nproject_id: fedcba9876543210\nregion: eu-west-1\nstack_tags: {a: b}\n"},
			try:  launch, exit: exitRefused,
		},
		{
			rule: "P1", what: "two files of one stack name in production", before: launched,
			then: map[string]string{"config/prod/also.yaml": "template: {type: file, path: queue.yaml}\nstack_name: trial-prod-queue\n"},
			try:  attempt{args: "launch prod/also", typed: trialPhrase, terminal: true}, exit: exitUsage,
		},
		{rule: "P2", what: "credentials of another account", try: attempt{args: "launch prod", typed: trialPhrase, terminal: true, vars: map[string]string{"DEPLOYER_SANDBOX_ACCOUNT": "999999999999"}}, exit: exitStale},
		{rule: "P2", what: "a region that is not in the list", files: map[string]string{prod: block("  regions: [us-east-1]\n")}, try: launch, exit: exitStale},
		{rule: "P4", what: "--yes", try: attempt{args: "launch prod --yes"}, exit: exitUnconfirmed},
		{rule: "P4", what: "a y at a terminal", try: attempt{args: "launch prod", typed: "y\n", terminal: true}, exit: exitUnconfirmed},
		{rule: "P4", what: "the phrase of another plan", try: attempt{args: "launch prod", typed: "prod 2 changes 0 deletes\n", terminal: true}, exit: exitUnconfirmed},
		{rule: "P4", what: "the end of the input", try: attempt{args: "launch prod", terminal: true}, exit: exitUnconfirmed},
		{rule: "P4", what: "production reached as a dependency of dev", try: attempt{args: "launch dev --yes"}, exit: exitUnconfirmed},
		{rule: "P5", what: "a pipe of yes", try: attempt{args: "launch prod", typed: strings.Repeat("yes\n", 50)}, exit: exitUnconfirmed},
		{rule: "P5", what: "the right phrase from a pipe", try: attempt{args: "launch prod", typed: trialPhrase}, exit: exitUnconfirmed},
		{rule: "P6", what: "approvals that one machine keeps", files: map[string]string{prod: block("  guard: {approvals: 1}\n")}, try: launch, exit: exitUsage},
		{rule: "P6", what: "no plan to approve, where approvals are needed", files: map[string]string{prod: block("  state: {bucket: " + trialBucket + "}\n  guard: {approvals: 1, approvers: [\"*\"]}\n")}, try: launch, exit: exitUnconfirmed},
		{rule: "P7", what: "a freeze", files: map[string]string{prod: block("  guard: {freeze: [\"2000-01-01/2999-01-01\"]}\n")}, try: launch, exit: exitRefused},
		{rule: "P7", what: "a freeze that cannot be read", files: map[string]string{prod: block("  guard: {freeze: [\"soon/later\"]}\n")}, try: launch, exit: exitUsage},
		{rule: "P9", what: "a delete without a plan", before: launched, try: attempt{args: "delete prod", typed: "prod 1 changes 1 deletes\n", terminal: true}, exit: exitRefused},
		{rule: "P9", what: "a delete by --yes", before: launched, try: attempt{args: "delete prod --yes"}, exit: exitRefused},
		{rule: "P9", what: "a delete of what was released, without a plan", before: append(slices.Clone(launched), attempt{args: "guard release prod --reason test", typed: trialPhrase, terminal: true}), try: attempt{args: "delete prod/queue --ignore-dependencies", typed: "prod 1 changes 1 deletes\n", terminal: true}, exit: exitRefused},
		{
			rule: "P9", what: "a release of a stack whose live tags are another project's", before: launched,
			then: map[string]string{"config/config.yaml": "project_code: trial\nproject_id: fedcba9876543210\nregion: eu-west-1\n"},
			try:  attempt{args: "guard release prod/queue --reason test", typed: trialPhrase, terminal: true}, exit: exitRefused,
		},
		{
			rule: "P9", what: "production reached as a dependent of a delete of dev", before: append(slices.Clone(launched), attempt{args: "launch dev --yes"}),
			files: map[string]string{"config/dev/app.yaml": "template: {type: file, path: queue.yaml}\n"},
			then:  map[string]string{"config/prod/queue.yaml": "template: {type: file, path: queue.yaml}\ndependencies: [dev/app.yaml]\n"},
			try:   attempt{args: "delete dev --yes"}, exit: exitRefused,
		},
		{rule: "P10", what: "no lease, where one is needed", files: map[string]string{prod: block("  guard: {lease: {required: true}}\n")}, try: launch, exit: exitRefused},
		{rule: "P11", what: "a bucket that cannot be written", files: map[string]string{prod: block("  state: {bucket: no-such-bucket}\n")}, try: attempt{args: "launch prod", typed: trialPhrase, terminal: true, vars: map[string]string{"DEPLOYER_SANDBOX_STUBS": "0"}}, exit: exitRefused},
		{rule: "P12", what: "an environment that somebody else is changing", files: map[string]string{".deployer/sandbox/state/locks/prod.json": trialLock}, try: launch, exit: exitLocked},
		{rule: "P12", what: "a lock that cannot be read", files: map[string]string{".deployer/sandbox/state/locks/prod.json": "{"}, try: launch, exit: exitLocked},
		{rule: "", what: "protect: true", files: map[string]string{"config/prod/queue.yaml": "template: {type: file, path: queue.yaml}\nprotect: true\n"}, try: launch, exit: exitRefused},
	}
}
