package sandbox

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const (
	typeFunction = "AWS::Lambda::Function"
	propReserved = "ReservedConcurrentExecutions"
)

type (
	functionInput    struct{ FunctionName, Qualifier string }
	concurrencyInput struct {
		FunctionName                 string
		ReservedConcurrentExecutions *int
	}
	concurrency  struct{ ReservedConcurrentExecutions *int }
	functionCode struct{ RepositoryType string }
	functionConf struct {
		FunctionName, FunctionArn, Runtime, Handler, Role, State, LastUpdateStatus, PackageType string
	}
	getFunctionOutput struct {
		Configuration functionConf
		Code          functionCode
		Concurrency   *concurrency
	}
)

// functionService is Lambda as far as the functions of stacks can be throttled.
func functionService() service {
	remove := writes(deleteConcurrency)
	remove.status = http.StatusNoContent
	return service{
		"GetFunction":               reads(getFunction),
		"GetFunctionConcurrency":    reads(getConcurrency),
		"PutFunctionConcurrency":    writes(putConcurrency),
		"DeleteFunctionConcurrency": remove,
	}
}

// function finds a function by one of its names: name, account:function:name, the
// whole ARN, and each with a version behind.
func (s *Server) function(tx engine.Tx, c *call, given string) (engine.Outside, error) {
	a, name := c.account(), given
	if before, rest, ok := strings.Cut(name, "function:"); ok {
		if name = rest; before != a.AccountID+":" && before != "arn:aws:lambda:"+a.Region+":"+a.AccountID+":" {
			name = "" // somebody else's
		}
	}
	name, _, _ = strings.Cut(name, ":")
	o, found, err := s.behind.Lookup(tx, a, name, typeFunction)
	if err == nil && (!found || o.Missing) {
		arn := given
		if !strings.HasPrefix(arn, "arn:") {
			arn = "arn:aws:lambda:" + a.Region + ":" + a.AccountID + ":function:" + given
		}
		err = fault(http.StatusNotFound, "ResourceNotFoundException", "Function not found: %.300s", arn)
	}
	return o, err
}

// reserved is the concurrency kept for a function, nil for none.
func reserved(o engine.Outside) *int {
	n, err := strconv.Atoi(textOf(o.Properties[propReserved]))
	if err != nil {
		return nil
	}
	return &n
}

func getFunction(s *Server, tx store.Tx, c *call, in *functionInput) (*getFunctionOutput, error) {
	o, err := s.function(tx, c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	p := o.Properties
	out := &getFunctionOutput{
		Configuration: functionConf{
			FunctionName: o.Physical, FunctionArn: o.Attributes["Arn"], Runtime: textOf(p["Runtime"]), Handler: textOf(p["Handler"]),
			Role: textOf(p["Role"]), State: "Active", LastUpdateStatus: "Successful", PackageType: "Zip",
		},
		Code: functionCode{"S3"},
	}
	if n := reserved(o); n != nil {
		out.Concurrency = &concurrency{n}
	}
	return out, nil
}

func getConcurrency(s *Server, tx store.Tx, c *call, in *functionInput) (*concurrency, error) {
	o, err := s.function(tx, c, in.FunctionName)
	return &concurrency{reserved(o)}, err
}

func putConcurrency(s *Server, tx store.Tx, c *call, in *concurrencyInput) (*concurrency, error) {
	if in.ReservedConcurrentExecutions == nil || *in.ReservedConcurrentExecutions < 0 {
		return nil, invalid("InvalidParameterValueException", "ReservedConcurrentExecutions must be a number of 0 or more")
	}
	o, err := s.function(tx, c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return &concurrency{in.ReservedConcurrentExecutions}, s.behind.Alter(tx, c.at, o, map[string]any{propReserved: *in.ReservedConcurrentExecutions})
}

func deleteConcurrency(s *Server, tx store.Tx, c *call, in *functionInput) (*noOutput, error) {
	o, err := s.function(tx, c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return &noOutput{}, s.behind.Alter(tx, c.at, o, map[string]any{propReserved: nil})
}
