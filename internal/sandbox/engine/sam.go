package engine

func (m macros) serverless(doc map[string]any) (map[string]any, error) {
	return doc, nil
}
