package cli

import (
	"errors"
	"testing"

	"github.com/hashicorp/go-multierror"
)

func TestInOneLine(t *testing.T) {
	t.Parallel()
	err := errors.Join(errors.New("first"), multierror.Append(errors.New("second"), errors.New("third")))
	if got := inOneLine(err); got != "first; second; third" {
		t.Errorf("%q", got)
	}
}
