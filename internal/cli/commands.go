package cli

import "github.com/urfave/cli/v2"

// commands lists every command, in the order of the help.
func (a *app) commands() []*cli.Command {
	return []*cli.Command{
		a.initCommand(),
		a.newCommand(),
		a.launchCommand(),
		a.planCommand(),
		a.diffCommand(),
		a.withChangeSet(a.createCommand(), "make", "With CHANGE_SET it makes a change set of that name for every stack under PATH and\nchanges nothing. What other stacks give is taken from how they live.", (*changeSets).create),
		a.withReview(a.updateCommand()),
		a.withChangeSet(a.deleteCommand(), "delete", "With CHANGE_SET it deletes that change set and leaves the stacks alone; a name that\nno stack knows is an error. That of a plan for production takes the phrase which\nplan discard takes, at a terminal.", (*changeSets).discard),
		a.withStalePlans(a.pruneCommand()),
		a.executeCommand(),
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
		a.breakCommand(),
		a.recoverCommand(),
		a.gamedayCommand(),
		a.guardCommand(),
		a.approveCommand(),
		a.unlockCommand(),
		a.lockCommand(),
		a.historyCommand(),
		a.promptCommand(),
		a.whoamiCommand(),
		a.doctorCommand(),
		a.sandboxCommand(),
		a.completionCommand(),
		a.completeCommand(),
	}
}
