package sandbox

import (
	"context"
	"fmt"
	"net/http"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

// service is the operations of a query or JSON service by name.
type service map[string]operation

// operation is one action of a service.
type operation struct {
	newInput func() any
	mutates  bool
	noResult bool
	status   int // of a good answer over REST, 200 when zero
	run      func(s *Server, tx store.Tx, c *call, in any) (any, error)
}

// reads and writes make an operation of a typed handler.
func reads[I, O any](handle func(s *Server, tx store.Tx, c *call, in *I) (*O, error)) operation {
	return operation{
		newInput: func() any { return new(I) },
		run: func(s *Server, tx store.Tx, c *call, in any) (any, error) {
			typed, ok := in.(*I)
			if !ok {
				return nil, fmt.Errorf("input is %T, not %T", in, typed)
			}
			return handle(s, tx, c, typed)
		},
	}
}

func writes[I, O any](handle func(s *Server, tx store.Tx, c *call, in *I) (*O, error)) operation {
	op := reads(handle)
	op.mutates = true
	return op
}

func services() map[string]service {
	return map[string]service{
		"cloudformation": cloudFormation(),
		"sts":            stsService(),
		"sns":            snsService(),
		"ssm":            ssmService(),
		"secretsmanager": secretsService(),
		"monitoring":     alarmService(),
		"events":         busService(),

		"rds":             databaseService(),
		"ec2":             computeService(),
		"lambda":          functionService(),
		"cloudcontrolapi": controlService(),
	}
}

// cloudFormation offers the engine's actions.
func cloudFormation() service {
	out := service{}
	for name, a := range engine.Actions() {
		out[name] = operation{
			newInput: a.NewInput, mutates: a.Mutates, noResult: a.NoResult,
			run: func(s *Server, tx store.Tx, c *call, in any) (any, error) {
				if a.Mutates {
					if err := keepOr(tx, tablePlace, place(c.account()), c.account()); err != nil {
						return nil, err
					}
				}
				return s.engine.Call(tx, c.at, c.account(), name, in)
			},
		}
	}
	return out
}

// serve answers a request that has been identified.
func (s *Server) serve(ctx context.Context, c *call) *answer {
	var work func(tx store.Tx) (*answer, error)
	switch {
	case c.service == "health":
		work = s.planHealth(c)
	case c.service == "s3":
		work = s.planS3(c)
	case c.service == "lambda" && c.action == actionInvoke:
		work = s.planInvoke(c)
	default:
		op, in, err := s.planAction(c)
		if err != nil {
			return c.refuse(err)
		}
		work = func(tx store.Tx) (*answer, error) {
			out, err := op.run(s, tx, c, in)
			if err != nil {
				return nil, err
			}
			return c.accept(out, op), nil
		}
	}
	return s.withFaults(ctx, c, func(admit func(tx store.Tx) error) *answer {
		var a *answer
		err := s.transact(ctx, c, func(tx store.Tx) (err error) {
			if err := s.identifyCaller(tx, c); err != nil {
				return err
			}
			if err := admit(tx); err != nil {
				return err
			}
			a, err = work(tx)
			return err
		})
		if err != nil {
			return c.refuse(err)
		}
		return a
	})
}

// planAction finds the operation and reads its input.
func (s *Server) planAction(c *call) (operation, any, error) {
	op, ok := s.services[c.service][c.action]
	switch {
	case !ok && c.service == "cloudformation" && !elsewhere(c.action):
		return op, nil, invalid("InvalidAction", "Could not find operation %.120s for version 2010-05-15", c.action)
	case !ok:
		return op, nil, c.absent()
	}
	in := op.newInput()
	var err error
	switch c.protocol {
	case protocolREST:
		if err = wire.DecodeQuery(c.form, in); err == nil {
			err = wire.DecodeJSON(c.body, in)
		}
	case protocolJSON:
		err = wire.DecodeJSON(c.body, in)
	case protocolCBOR:
		err = wire.DecodeCBOR(c.body, in)
	default:
		err = wire.DecodeQuery(c.form, in)
	}
	c.mutates = op.mutates
	c.jumps = !op.mutates && c.service == "cloudformation"
	c.stack = c.form.Get("StackName")
	return op, in, err
}

// accept writes a good answer in the protocol of the request.
func (c *call) accept(out any, op operation) *answer {
	a := &answer{status: http.StatusOK, header: http.Header{}}
	switch c.protocol {
	case protocolREST:
		return c.acceptREST(a, out, op.status)
	case protocolQuery, protocolJSON, protocolCBOR: // below
	case protocolEC2:
		a.header.Set("Content-Type", "text/xml;charset=UTF-8")
		a.body = wire.EncodeEC2(c.action, "http://ec2.amazonaws.com/doc/2016-11-15/", c.id, out)
		return a
	}
	if c.protocol == protocolJSON {
		a.header.Set("Content-Type", c.json)
		a.body = wire.EncodeJSON(out)
		return a
	}
	if c.protocol == protocolCBOR {
		c.asCBOR(a.header)
		a.body = wire.EncodeCBOR(out)
		return a
	}
	a.header.Set("Content-Type", "text/xml")
	a.body = wire.EncodeQuery(c.action, namespaceOf(c.service), c.id, out, op.noResult)
	return a
}
