package restype

// Contents and Fits let the tests look at the table of containment.
var (
	Contents = contents
	Fits     = fits
)
