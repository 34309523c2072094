package engine

import "maps"

// Actions lists what the engine answers.
func Actions() map[string]Action {
	return maps.Clone(actions())
}

func actions() map[string]Action {
	return map[string]Action{
		"CreateStack":                       action(true, false, (*session).createStack),
		"UpdateStack":                       action(true, false, (*session).updateStack),
		"DeleteStack":                       action(true, true, (*session).deleteStack),
		"CancelUpdateStack":                 action(true, true, (*session).cancelUpdateStack),
		"ContinueUpdateRollback":            action(true, false, (*session).continueUpdateRollback),
		"RollbackStack":                     action(true, false, (*session).rollbackStack),
		"UpdateTerminationProtection":       action(true, false, (*session).updateTerminationProtection),
		"SetStackPolicy":                    action(true, true, (*session).setStackPolicy),
		"GetStackPolicy":                    action(false, false, (*session).getStackPolicy),
		"SignalResource":                    action(true, true, (*session).signalResource),
		"DescribeStacks":                    action(false, false, (*session).describeStacks),
		"ListStacks":                        action(false, false, (*session).listStacks),
		"DescribeStackEvents":               action(false, false, (*session).describeStackEvents),
		"DescribeStackResources":            action(false, false, (*session).describeStackResources),
		"DescribeStackResource":             action(false, false, (*session).describeStackResource),
		"ListStackResources":                action(false, false, (*session).listStackResources),
		"ListExports":                       action(false, false, (*session).listExports),
		"ListImports":                       action(false, false, (*session).listImports),
		"GetTemplate":                       action(false, false, (*session).getTemplate),
		"GetTemplateSummary":                action(false, false, (*session).getTemplateSummary),
		"ValidateTemplate":                  action(false, false, (*session).validateTemplate),
		"EstimateTemplateCost":              action(false, false, (*session).estimateTemplateCost),
		"DescribeAccountLimits":             action(false, false, (*session).describeAccountLimits),
		"CreateChangeSet":                   action(true, false, (*session).createChangeSet),
		"DescribeChangeSet":                 action(false, false, (*session).describeChangeSet),
		"ExecuteChangeSet":                  action(true, false, (*session).executeChangeSet),
		"DeleteChangeSet":                   action(true, false, (*session).deleteChangeSet),
		"ListChangeSets":                    action(false, false, (*session).listChangeSets),
		"DescribeEvents":                    action(false, false, (*session).describeEvents),
		"DetectStackDrift":                  action(true, false, (*session).detectStackDrift),
		"DescribeStackDriftDetectionStatus": action(false, false, (*session).describeStackDriftDetectionStatus),
		"DescribeStackResourceDrifts":       action(false, false, (*session).describeStackResourceDrifts),
		"DetectStackResourceDrift":          action(true, false, (*session).detectStackResourceDrift),
	}
}
