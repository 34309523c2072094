package cli

import "github.com/urfave/cli/v2"

// commands lists every command, in the order of the help.
func (a *app) commands() []*cli.Command {
	return []*cli.Command{
		a.initCommand(),
		a.launchCommand(),
		a.planCommand(),
		a.diffCommand(),
		a.createCommand(),
		a.updateCommand(),
		a.deleteCommand(),
		a.cancelCommand(),
		a.setPolicyCommand(),
		a.statusCommand(),
		a.listCommand(),
		a.describeCommand(),
		a.driftCommand(),
		a.eventsCommand(),
		a.generateCommand(),
		a.dumpCommand(),
		a.validateCommand(),
		a.graphCommand(),
		a.fetchRemoteTemplateCommand(),
		a.estimateCostCommand(),
		a.whoamiCommand(),
		a.doctorCommand(),
		a.sandboxCommand(),
		a.completionCommand(),
		a.completeCommand(),
	}
}
