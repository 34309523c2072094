package cfntemplate

// findInMap evaluates Fn::FindInMap.
func (e *evaluator) findInMap(arg any) (any, error) {
	items, ok := listOf(arg, 3, 4)
	if !ok || len(items) == 4 && !e.t.extended() {
		return nil, refuse(textFindInMap)
	}
	var keys [3]string
	for i, item := range items[:3] {
		v, err := e.value(item)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(Unknown); ok {
			return u, nil
		}
		if keys[i], ok = text(v); !ok {
			return nil, refuse(textFindInMap)
		}
	}
	found, err := e.t.lookup(keys)
	if err == nil {
		return e.value(found)
	}
	if len(items) == 4 {
		if def, ok := items[3].(map[string]any); ok && len(def) == 1 && def["DefaultValue"] != nil {
			return e.value(def["DefaultValue"])
		}
		return nil, refuse(textFindInMap)
	}
	return nil, err
}

func (t *Template) lookup(keys [3]string) (any, error) {
	mapping, ok := t.Mappings[keys[0]].(map[string]any)
	if !ok {
		return nil, refuse("Template error: Mapping named '%s' is not present in the 'Mappings' section of template.", keys[0])
	}
	attributes, _ := mapping[keys[1]].(map[string]any)
	v, ok := attributes[keys[2]]
	if !ok {
		return nil, refuse("Template error: Unable to get mapping for %s::%s::%s", keys[0], keys[1], keys[2])
	}
	return v, nil
}

// importValue evaluates Fn::ImportValue.
func (e *evaluator) importValue(arg any) (any, error) {
	v, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(Unknown); ok {
		return u, nil
	}
	name, ok := text(v)
	if !ok || name == "" {
		return nil, refuse(textImport)
	}
	if e.env.Import == nil {
		return Unknown{"export " + name + " is not known"}, nil
	}
	out, err := e.env.Import(name)
	return normal(out), err
}

// stackOutput evaluates Fn::GetStackOutput.
func (e *evaluator) stackOutput(arg any) (any, error) {
	m, ok := arg.(map[string]any)
	if !ok {
		return nil, refuse(textStackOutput)
	}
	v, err := e.object(m)
	if err != nil {
		return nil, err
	}
	args, _ := v.(map[string]any)
	if u, ok := unknownBelow(args); ok {
		return u, nil
	}
	if bad := checkStackOutput(args); bad != nil {
		return nil, bad
	}
	if e.env.StackOutput == nil {
		return Unknown{"outputs of other stacks are not known"}, nil
	}
	out, err := e.env.StackOutput(args)
	return normal(out), err
}

func checkStackOutput(args map[string]any) *Error {
	if args["StackName"] == nil && args["StackArn"] == nil && args["StackId"] == nil || args["OutputName"] == nil {
		return refuse(textStackOutput)
	}
	return nil
}
