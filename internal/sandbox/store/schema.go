package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Marks in the file's header: that the file is ours, and how it is laid out.
const (
	applicationID = 0x44504c53 // "DPLS"
	format        = 1
)

// bodyMin is the size from which a value is kept apart. Long values in the table
// of keys would make every scan of the keys read them.
const bodyMin = 1024

// schema keeps small values beside their keys and long ones in a table of their
// own. The triggers keep the two in step, so that a writer does not have to look
// at what it replaces.
const schema = `
CREATE TABLE kv (
	tbl   TEXT NOT NULL,
	key   BLOB NOT NULL,
	long  INTEGER NOT NULL,
	value BLOB,
	PRIMARY KEY (tbl, key)
) WITHOUT ROWID;
CREATE TABLE body (
	tbl   TEXT NOT NULL,
	key   BLOB NOT NULL,
	value BLOB NOT NULL,
	UNIQUE (tbl, key)
);
CREATE TRIGGER kv_became_short AFTER UPDATE OF long ON kv WHEN old.long = 1 AND new.long = 0 BEGIN
	DELETE FROM body WHERE tbl = old.tbl AND key = old.key;
END;
CREATE TRIGGER kv_deleted AFTER DELETE ON kv WHEN old.long = 1 BEGIN
	DELETE FROM body WHERE tbl = old.tbl AND key = old.key;
END;
`

// migrate makes a new file ours, in one transaction, and refuses a file that is
// not ours or that a newer deployer wrote.
func migrate(ctx context.Context, c *sql.Conn, path string) error {
	var id, version, tables int
	row := c.QueryRowContext(ctx, `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id AS a, pragma_user_version AS v`)
	if err := row.Scan(&id, &version, &tables); err != nil {
		return err
	}
	switch {
	case tables == 0 && version == 0:
		_, err := c.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, format))
		return err
	case id != applicationID:
		return fmt.Errorf("%s is a database of another program: choose another folder or move the file away", path)
	case version > format:
		return &NewerError{Path: path, Format: version}
	}
	return nil
}

// NewerError refuses a store that a newer deployer wrote.
type NewerError struct {
	Path   string
	Format int
}

// Error implements error.
func (e *NewerError) Error() string {
	return fmt.Sprintf("%s has format %d and this deployer knows formats up to %d: use the newer deployer that wrote it, or move the file away", e.Path, e.Format, format)
}
