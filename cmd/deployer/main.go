// Command deployer launches, protects and breaks environments of AWS
// CloudFormation stacks.
package main

import (
	"os"

	"github.com/deployer-cli/deployer/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.System()))
}
