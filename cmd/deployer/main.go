// Command deployer launches, protects and breaks environments of AWS
// CloudFormation stacks.
//
// It never does more than hand the process to internal/cli and end with the exit
// code that comes back.
package main

import (
	"os"

	"github.com/deployer-cli/deployer/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.System()))
}
