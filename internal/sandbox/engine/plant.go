package engine

import (
	"encoding/json"
	"fmt"
)

// Planted is an export of a stack that is not in the store.
type Planted struct{ StackID, StackName, Name, Value string }

// PlantExport enters an export that stacks can import. It replaces an earlier one
// of the same stack; that of another stack stays, and is an error.
func PlantExport(tx Tx, a Account, p Planted) error {
	k := place(a) + p.Name
	raw, found, err := tx.Get("export", k)
	if err != nil {
		return err
	}
	var old export
	if found {
		if err := decode("export", raw, &old); err != nil {
			return err
		}
		if old.Stack != p.StackID {
			return fmt.Errorf("export %q belongs to the stack %s in the sandbox and cannot be seeded", p.Name, old.Name)
		}
	}
	raw, err = json.Marshal(export{Stack: p.StackID, Name: p.StackName, Value: p.Value})
	if err != nil {
		return fmt.Errorf("encode export: %w", err)
	}
	return tx.Put("export", k, raw)
}
