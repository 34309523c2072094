package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// topName names the environment of the whole project: the folder config/ has
// no name of its own, and PATH . means the whole of it.
const topName = "."

// declaredEnvironment reads an environment block. Everything wrong in it is
// reported at once; the answer is nil then.
func declaredEnvironment(at stacks.Path, block stacks.Value) (*stacks.Environment, []*stacks.Problem) {
	e := &stacks.Environment{Name: environmentName(at), Path: at, Declared: true, Pos: block.Pos}
	var problems []*stacks.Problem
	if block.Kind == stacks.Null {
		block.Kind = stacks.Map
	}
	problems = append(problems, environmentShape().verify(environmentKey, block)...)
	problems = append(problems, readClass(e, block)...)
	problems = append(problems, readAccounts(e, block)...)
	problems = append(problems, reservedName(e)...)
	e.Regions = texts(block, "regions")
	e.Mode = textOf(block, "mode")
	if state, ok := block.Get("state"); ok {
		e.State = stacks.State{Bucket: textOf(state, "bucket"), Prefix: textOf(state, "prefix")}
	}
	e.Guard, _ = block.Get("guard")
	e.Break, _ = block.Get("break")
	e.Probes, _ = block.Get("probes")
	e.Notify, _ = block.Get("notify")
	problems = append(problems, together(e, block)...)
	if len(problems) > 0 {
		return nil, problems
	}
	return e, nil
}

// together checks what only parts of a block taken together can say.
func together(e *stacks.Environment, block stacks.Value) []*stacks.Problem {
	var out []*stacks.Problem
	if f, ok := field(block, "mode"); ok && e.Mode == "express" && e.Class != stacks.Development {
		out = append(out, &stacks.Problem{
			Pos: f.Pos, What: "mode express is for development only", Why: "the class is " + e.Class.Word(),
		})
	}
	if f, ok := field(e.Guard, "approvals"); ok && f.Value.Kind == stacks.Int && f.Value.Text != "0" && e.State.Bucket == "" {
		out = append(out, &stacks.Problem{
			Pos: f.Pos, What: "guard.approvals needs environment.state",
			Why: "approvals kept on one machine gate nothing", Tip: "add state: {bucket: …}",
		})
	}
	return out
}

func classes() []string {
	return []string{string(stacks.Production), string(stacks.Persistent), string(stacks.Development)}
}

// readClass takes in the class: written down, spelt right, and not weaker than
// the environment's name says.
func readClass(e *stacks.Environment, block stacks.Value) []*stacks.Problem {
	f, ok := field(block, "class")
	if !ok {
		return []*stacks.Problem{{
			Pos: block.Pos, What: "environment " + e.Name + " has no class",
			Why: "the class says what may be done to it",
			Tip: "add class: production, persistent or development",
		}}
	}
	if why := oneOf(classes()...)(f.Value); why != "" {
		return []*stacks.Problem{{Pos: f.Value.Pos, What: "class cannot be used", Why: why}}
	}
	e.Class = stacks.Class(f.Value.Text)
	if e.Class != stacks.Production && stacks.HasProductionWord(e.Name) {
		return []*stacks.Problem{{
			Pos:  f.Value.Pos,
			What: "class " + string(e.Class) + " is weaker than the name says",
			Why:  "the environment is called " + e.Name,
			Tip:  "declare class: production, or rename the group",
		}}
	}
	return nil
}

// readAccounts takes in the account ids: strings of twelve digits. YAML reads
// unquoted ones as numbers, some of them octal.
func readAccounts(e *stacks.Environment, block stacks.Value) []*stacks.Problem {
	f, ok := field(block, "accounts")
	if !ok || f.Value.Kind == stacks.List && len(f.Value.Items) == 0 {
		if e.Class != stacks.Production {
			return nil
		}
		return []*stacks.Problem{{
			Pos: block.Pos, What: "environment " + e.Name + " has no accounts",
			Why: "production is bound to its account",
			Tip: `add accounts: ["111111111111"]`,
		}}
	}
	if f.Value.Kind != stacks.List {
		return []*stacks.Problem{{
			Pos: f.Value.Pos, What: "accounts must be a list", Why: "it is " + shown(f.Value), Tip: `write accounts: ["111111111111"]`,
		}}
	}
	account := regexp.MustCompile(`^\d{12}$`)
	var problems []*stacks.Problem
	for _, item := range f.Value.Items {
		if item.Kind == stacks.Text && account.MatchString(item.Text) {
			e.Accounts = append(e.Accounts, item.Text)
			continue
		}
		p := &stacks.Problem{Pos: item.Pos, What: "account cannot be used", Why: "it must be a string of 12 digits, and is " + shown(item)}
		if item.Kind == stacks.Int || item.Kind == stacks.Float {
			p.Why = "YAML reads an account id without quotes as a number, with a leading 0 even as an octal one"
			p.Tip = `put it in quotes, as "012345678901"`
		}
		problems = append(problems, p)
	}
	return problems
}

// reservedName refuses names that are subcommands: "deployer break plan"
// would be two things.
func reservedName(e *stacks.Environment) []*stacks.Problem {
	reserved := []string{
		"plan", "run", "doctor", "status", "list", "show", "resume", "stop", "halt", "close", "lever", "permit", "ideas",
	}
	if !slices.Contains(reserved, strings.ToLower(e.Name)) {
		return nil
	}
	return []*stacks.Problem{{
		Pos:  e.Pos,
		What: "an environment cannot be called " + e.Name,
		Why:  "deployer break " + e.Name + " is a command",
		Tip:  "rename the group's folder, to " + e.Name + "-env for example",
	}}
}

func environmentName(at stacks.Path) string {
	if at == "" {
		return topName
	}
	return string(at)
}

// undeclaredPath is the group that stands for the environment of a stack that
// has none declared: the top-level group, or the first below it whose path
// has a production word, so that the word is never lost.
func undeclaredPath(at stacks.Path) stacks.Path {
	parts := strings.Split(string(at), "/")
	for i := range parts {
		if p := strings.Join(parts[:i+1], "/"); stacks.HasProductionWord(p) {
			return stacks.Path(p)
		}
	}
	return stacks.Path(parts[0])
}

// texts gives the strings of a list; what is no string was reported.
func texts(v stacks.Value, key string) []string {
	list, _ := v.Get(key)
	var out []string
	for _, i := range list.Items {
		if i.Kind == stacks.Text {
			out = append(out, i.Text)
		}
	}
	return out
}

func textOf(v stacks.Value, key string) string {
	f, _ := v.Get(key)
	if f.Kind != stacks.Text {
		return ""
	}
	return f.Text
}
