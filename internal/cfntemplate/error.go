package cfntemplate

import "fmt"

// Error is a refusal in CloudFormation's words. Line and Column are 0 where the
// place is not known.
type Error struct {
	Code, Message string
	Line, Column  int
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// refuse makes the error CloudFormation answers at once.
func refuse(format string, args ...any) *Error {
	return &Error{Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

// at adds the place to e unless it has one.
func (e *Error) at(p place) *Error {
	if e.Line == 0 {
		e.Line, e.Column = p.line, p.column
	}
	return e
}

// Texts that more than one place says.
const (
	textUnsupported = "Template format error: unsupported structure."
	textEquals      = "Template error: every Fn::Equals object requires a list of 2 string parameters."
	textGetAtt      = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
	textSplit       = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."
	textJoin        = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
	textSelect      = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
	textSub         = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"
	textSubName     = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"
	textFindInMap   = "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
	textIf          = "Template error: every Fn::If object requires a list of three parameters, the condition name, the value if it is true and the value if it is false."
	textNot         = "Template error: every Fn::Not object requires one boolean parameter."
	textAndOr       = "Template error: every %s object requires a list of at least 2 and at most 10 boolean parameters."
	textBase64      = "Template error: every Fn::Base64 object must have a String-typed value."
	textGetAZs      = "Template error: every Fn::GetAZs object must have a String-typed value."
	textCidr        = "Template error: every Fn::Cidr object requires a list of an IP block, a count between 1 and 256 and the number of subnet bits"
	textImport      = "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string"
	textImportDep   = "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"
	textStackOutput = "Template error: every Fn::GetStackOutput object requires a map with a StackName and an OutputName"
	textLength      = "Template error: every Fn::Length object requires a list or a function that returns a list"
	textToJSON      = "Template error: every Fn::ToJsonString object requires an object or a list"
	textNotBoolean  = "Template format error: Conditions can only be boolean operations on parameters and other conditions"
	textForEach     = "Transform AWS::LanguageExtensions failed with: Fn::ForEach layout is incorrect"
	textOutputValue = "Template format error: The Value field of every Outputs member must evaluate to a String."
)
