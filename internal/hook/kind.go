package hook

import (
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// The kinds of hook that are built in. The second name of scaling is an old
// one of Sceptre's.
const (
	command    = "cmd"
	scale      = "asg_scaling_processes"
	scaleAlias = "asg_scheduled_actions"
)

const (
	commandForm = `write !cmd "command", or !cmd {run: command, shell: bash}`
	scaleForm   = `write !asg_scaling_processes "suspend::ScheduledActions", or resume::`
)

func scaling(name string) bool { return name == scale || name == scaleAlias }

// known refuses hooks that nothing runs.
func (h Hook) known(plugins Plugins) error {
	name := h.Call.Name
	if name == command || scaling(name) || (plugins != nil && plugins.HasHook(name)) {
		return nil
	}
	return h.problem("there is no such hook", "hooks: !cmd, !asg_scaling_processes, or a program deployer-hook-"+name+" on the path or in plugins/")
}

// malformed says what is wrong with a resolved argument.
func (h Hook) malformed(arg stacks.Value) (why, tip string) {
	switch {
	case h.Call.Name == command:
		if _, _, why = commandLine(arg); why != "" {
			return why, commandForm
		}
	case scaling(h.Call.Name):
		if _, _, why = scalingOf(arg); why != "" {
			return why, scaleForm
		}
	}
	return "", ""
}

// text is what a hook does, for messages.
func (h Hook) text(arg stacks.Value) string {
	if h.Call.Name == command {
		line, _, _ := commandLine(arg)
		return line
	}
	return ""
}

// scalingOf reads the argument of !asg_scaling_processes.
func scalingOf(arg stacks.Value) (process string, suspend bool, why string) {
	action, process, ok := strings.Cut(arg.Text, "::")
	if arg.Kind != stacks.Text || !ok || process == "" || (action != "suspend" && action != "resume") {
		return "", false, "its argument has to be suspend:: or resume:: and the name of a process"
	}
	return process, action == "suspend", ""
}

// Refused lists the hooks of a stack that can never run: of a kind that nobody
// knows, or with an argument of the wrong form. Arguments with resolver calls
// are looked at when their time comes.
func Refused(st *stacks.Stack, plugins Plugins) []error {
	var out []error
	for _, point := range st.Hooks {
		for _, v := range point.Hooks {
			if v.Call == nil {
				continue
			}
			h := Hook{Stack: st.Path, Moment: Moment(point.Name), Call: v.Call, Pos: v.Pos}
			if err := h.known(plugins); err != nil {
				out = append(out, err)
				continue
			}
			if v.Call.Arg.HasCall() {
				continue
			}
			if why, tip := h.malformed(v.Call.Arg); why != "" {
				out = append(out, h.problem(why, tip))
			}
		}
	}
	return out
}
