package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// samPrefix begins the types that the serverless transform replaces.
const samPrefix = "AWS::Serverless::"

// sam replaces the serverless resources of a template by those they stand for.
type sam struct {
	resources map[string]any
	globals   map[string]any
	errors    []string
	api       []string // routes of the implicit REST API
	http      bool     // there is an implicit HTTP API
}

// serverless runs the macro AWS::Serverless-2016-10-31 as far as common templates
// need it: functions, tables, layers and APIs. It refuses the rest.
func (m macros) serverless(doc map[string]any) (map[string]any, error) {
	old, _ := doc["Resources"].(map[string]any)
	globals, _ := doc["Globals"].(map[string]any)
	x := &sam{resources: map[string]any{}, globals: globals}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		r, _ := old[id].(map[string]any)
		if name, _ := r["Type"].(string); strings.HasPrefix(name, samPrefix) {
			x.expand(id, strings.TrimPrefix(name, samPrefix), r)
		} else {
			x.resources[id] = old[id]
		}
	}
	x.implicit()
	if n := len(x.errors); n > 0 {
		return nil, m.failed(macroServerless, "Invalid Serverless Application Specification document. Number of errors found: %d. %s", n, strings.Join(x.errors, " "))
	}
	out := maps.Clone(doc)
	delete(out, "Globals")
	out["Resources"] = x.resources
	return out, nil
}

func (x *sam) bad(id, format string, args ...any) {
	x.errors = append(x.errors, "Resource with id ["+id+"] is invalid. "+fmt.Sprintf(format, args...))
}

// expand replaces one resource.
func (x *sam) expand(id, kind string, r map[string]any) {
	given, _ := r["Properties"].(map[string]any)
	common, _ := x.globals[kind].(map[string]any)
	props := merged(common, given)
	switch kind {
	case "Function":
		x.function(id, r, props)
	case "SimpleTable":
		x.table(id, r, props)
	case "LayerVersion":
		x.add(id, r, "AWS::Lambda::LayerVersion", renamed(props, map[string]string{"ContentUri": "Content"}, "RetentionPolicy"))
		x.code(id, "Content")
	case "Api":
		x.restAPI(id, r, props)
	case "HttpApi":
		x.httpAPI(id, r, props)
	default:
		x.bad(id, "The sandbox does not expand %s%s.", samPrefix, kind)
	}
}

// merged lays properties over the global ones; maps are merged, lists joined.
func merged(common, own map[string]any) map[string]any {
	out := maps.Clone(common)
	if out == nil {
		out = map[string]any{}
	}
	for k, v := range own {
		a, aMap := out[k].(map[string]any)
		b, bMap := v.(map[string]any)
		la, aList := out[k].([]any)
		lb, bList := v.([]any)
		switch {
		case aMap && bMap && len(b) > 0:
			out[k] = merged(a, b)
		case aList && bList:
			out[k] = slices.Concat(la, lb)
		default:
			out[k] = v
		}
	}
	return out
}

// renamed is a copy of properties under the names of another type, without some.
func renamed(props map[string]any, names map[string]string, without ...string) map[string]any {
	out := map[string]any{}
	for k, v := range props {
		switch name, ok := names[k]; {
		case slices.Contains(without, k):
		case ok:
			out[name] = v
		default:
			out[k] = v
		}
	}
	return out
}

// add enters a resource with the attributes of the one it comes from.
func (x *sam) add(id string, from map[string]any, typeName string, props map[string]any) {
	r := map[string]any{"Type": typeName, "Properties": props}
	for _, k := range []string{"Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"} {
		if v, ok := from[k]; ok {
			r[k] = v
		}
	}
	x.resources[id] = r
}

// beside enters a resource that exists where its origin does.
func (x *sam) beside(id string, from map[string]any, typeName string, props map[string]any) {
	r := map[string]any{"Type": typeName, "Properties": props}
	if v, ok := from["Condition"]; ok {
		r["Condition"] = v
	}
	x.resources[id] = r
}

func (x *sam) props(id string) map[string]any {
	r, _ := x.resources[id].(map[string]any)
	p, _ := r["Properties"].(map[string]any)
	return p
}

// code turns an S3 address into what Lambda takes.
func (x *sam) code(id, property string) {
	props := x.props(id)
	switch v := props[property].(type) {
	case string:
		bucket, name, ok := strings.Cut(strings.TrimPrefix(v, "s3://"), "/")
		if !strings.HasPrefix(v, "s3://") || !ok {
			x.bad(id, "'%s' requires Bucket and Key properties to be specified.", map[string]string{"Code": "CodeUri", "Content": "ContentUri"}[property])
			return
		}
		props[property] = map[string]any{"S3Bucket": bucket, "S3Key": name}
	case map[string]any:
		if v["Bucket"] != nil {
			props[property] = renamed(v, map[string]string{"Bucket": "S3Bucket", "Key": "S3Key", "Version": "S3ObjectVersion"})
		}
	}
}

func ref(id string) map[string]any          { return map[string]any{"Ref": id} }
func getAtt(id, attr string) map[string]any { return map[string]any{"Fn::GetAtt": []any{id, attr}} }

// samTags are the tags of a resource made by the transform, as a list.
func samTags(v any) []any {
	out := []any{map[string]any{"Key": "lambda:createdBy", "Value": "SAM"}}
	tags, _ := v.(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, map[string]any{"Key": k, "Value": tags[k]})
	}
	return out
}

func (x *sam) function(id string, r, props map[string]any) {
	fn := renamed(props, map[string]string{"CodeUri": "Code", "Tracing": "TracingConfig", "DeadLetterQueue": "DeadLetterConfig"},
		"Policies", "Events", "InlineCode", "ImageUri", "AutoPublishAlias", "DeploymentPreference", "PermissionsBoundary", "AssumeRolePolicyDocument",
		"RolePath", "VersionDescription", "ProvisionedConcurrencyConfig", "FunctionUrlConfig", "EventInvokeConfig", "AutoPublishCodeSha256", "PropagateTags")
	switch {
	case props["InlineCode"] != nil:
		fn["Code"] = map[string]any{"ZipFile": props["InlineCode"]}
	case props["ImageUri"] != nil:
		fn["Code"] = map[string]any{"ImageUri": props["ImageUri"]}
	case props["CodeUri"] == nil:
		x.bad(id, "Missing required property 'CodeUri'.")
		return
	}
	if mode, ok := props["Tracing"].(string); ok {
		fn["TracingConfig"] = map[string]any{"Mode": mode}
	}
	if dead, ok := props["DeadLetterQueue"].(map[string]any); ok {
		fn["DeadLetterConfig"] = map[string]any{"TargetArn": dead["TargetArn"]}
	}
	if _, asMap := props["Tags"].(map[string]any); asMap || props["Tags"] == nil {
		fn["Tags"] = samTags(props["Tags"])
	}
	if props["Role"] == nil {
		x.role(id+"Role", r, props)
		fn["Role"] = getAtt(id+"Role", "Arn")
	}
	x.add(id, r, "AWS::Lambda::Function", fn)
	x.code(id, "Code")
	if alias, ok := props["AutoPublishAlias"].(string); ok {
		version := id + "Version" + hashText(jsonText(scalars(fn["Code"])))[:10]
		x.beside(version, r, "AWS::Lambda::Version", map[string]any{"FunctionName": ref(id)})
		x.resources[version].(map[string]any)["DeletionPolicy"] = "Retain" //nolint:forcetypeassert // made above
		x.beside(id+"Alias"+alias, r, "AWS::Lambda::Alias", map[string]any{"Name": alias, "FunctionName": ref(id), "FunctionVersion": getAtt(version, "Version")})
	}
	events, _ := props["Events"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(events)) {
		event, _ := events[name].(map[string]any)
		x.event(id, name, r, event)
	}
}

// role makes the role of a function that has none.
func (x *sam) role(id string, r, props map[string]any) {
	managed := []any{"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
	if props["VpcConfig"] != nil {
		managed = append(managed, "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole")
	}
	policies, isList := props["Policies"].([]any)
	if !isList && props["Policies"] != nil {
		policies = []any{props["Policies"]}
	}
	var inline []any
	for i, p := range policies {
		doc, isDoc := p.(map[string]any)
		name, isName := p.(string)
		switch {
		case isName && !strings.HasPrefix(name, "arn:"):
			managed = append(managed, "arn:aws:iam::aws:policy/"+name)
		case isDoc && doc["Statement"] != nil:
			inline = append(inline, map[string]any{"PolicyName": fmt.Sprintf("%sPolicy%d", id, i), "PolicyDocument": doc})
		case isDoc && len(doc) == 1 && !strings.HasPrefix(slices.Sorted(maps.Keys(doc))[0], "Fn::") && doc["Ref"] == nil:
			// A policy template: which actions it grants does not matter here.
			inline = append(inline, map[string]any{"PolicyName": fmt.Sprintf("%sPolicy%d", id, i), "PolicyDocument": map[string]any{
				"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": []any{slices.Sorted(maps.Keys(doc))[0]}, "Resource": "*"}},
			}})
		default:
			managed = append(managed, p)
		}
	}
	role := map[string]any{
		"AssumeRolePolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Action": []any{"sts:AssumeRole"}, "Principal": map[string]any{"Service": []any{"lambda.amazonaws.com"}},
		}}},
		"ManagedPolicyArns": managed, "Tags": samTags(nil),
	}
	if doc := props["AssumeRolePolicyDocument"]; doc != nil {
		role["AssumeRolePolicyDocument"] = doc
	}
	if inline != nil {
		role["Policies"] = inline
	}
	if boundary := props["PermissionsBoundary"]; boundary != nil {
		role["PermissionsBoundary"] = boundary
	}
	x.beside(id, r, "AWS::IAM::Role", role)
}

// event makes what brings events to a function.
func (x *sam) event(fn, name string, r, event map[string]any) {
	props, _ := event["Properties"].(map[string]any)
	kind, _ := event["Type"].(string)
	id := fn + name
	permit := func(principal string, source any) {
		p := map[string]any{"Action": "lambda:InvokeFunction", "FunctionName": ref(fn), "Principal": principal + ".amazonaws.com"}
		if source != nil {
			p["SourceArn"] = source
		}
		x.beside(id+"Permission", r, "AWS::Lambda::Permission", p)
	}
	target := []any{map[string]any{"Arn": getAtt(fn, "Arn"), "Id": id + "LambdaTarget"}}
	switch kind {
	case "Api":
		if props["RestApiId"] == nil {
			x.api = append(x.api, id)
		}
		permit("apigateway", nil)
	case "HttpApi":
		x.http = x.http || props["ApiId"] == nil
		permit("apigateway", nil)
	case "Schedule":
		rule := renamed(props, map[string]string{"Schedule": "ScheduleExpression"}, "Input", "Enabled", "RetryPolicy", "DeadLetterConfig")
		rule["Targets"] = target
		x.beside(id, r, "AWS::Events::Rule", rule)
		permit("events", getAtt(id, "Arn"))
	case "EventBridgeRule", "CloudWatchEvent":
		rule := renamed(props, map[string]string{"Pattern": "EventPattern"}, "Input", "InputPath", "Target", "RetryPolicy", "DeadLetterConfig")
		rule["Targets"] = target
		x.beside(id, r, "AWS::Events::Rule", rule)
		permit("events", getAtt(id, "Arn"))
	case "SNS":
		sub := renamed(props, map[string]string{"Topic": "TopicArn"}, "SqsSubscription")
		sub["Protocol"], sub["Endpoint"] = "lambda", getAtt(fn, "Arn")
		x.beside(id, r, "AWS::SNS::Subscription", sub)
		permit("sns", props["Topic"])
	case "S3":
		permit("s3", nil)
	case "SQS", "DynamoDB", "Kinesis":
		source := renamed(props, map[string]string{"Queue": "EventSourceArn", "Stream": "EventSourceArn"})
		source["FunctionName"] = ref(fn)
		x.beside(id, r, "AWS::Lambda::EventSourceMapping", source)
	default:
		x.bad(fn, "Event with id [%s] is invalid. The sandbox does not expand events of type %s.", name, kind)
	}
}

func (x *sam) table(id string, r, props map[string]any) {
	name, kind := any("id"), any("S")
	if primary, ok := props["PrimaryKey"].(map[string]any); ok {
		name = primary["Name"]
		kind = map[string]string{"String": "S", "Number": "N", "Binary": "B"}[fmt.Sprint(primary["Type"])]
	}
	table := renamed(props, nil, "PrimaryKey", "Tags")
	table["AttributeDefinitions"] = []any{map[string]any{"AttributeName": name, "AttributeType": kind}}
	table["KeySchema"] = []any{map[string]any{"AttributeName": name, "KeyType": "HASH"}}
	if props["ProvisionedThroughput"] == nil {
		table["BillingMode"] = "PAY_PER_REQUEST"
	}
	if props["Tags"] != nil {
		table["Tags"] = samTags(props["Tags"])[1:]
	}
	x.add(id, r, "AWS::DynamoDB::Table", table)
}

// restAPI makes an API with its deployment and stage.
func (x *sam) restAPI(id string, r, props map[string]any) {
	stage, ok := props["StageName"].(string)
	if !ok {
		if props["StageName"] == nil {
			x.bad(id, "Missing required property 'StageName'.")
			return
		}
		stage = "Stage"
	}
	api := renamed(props, map[string]string{"DefinitionBody": "Body", "DefinitionUri": "BodyS3Location"},
		"StageName", "Cors", "Auth", "Variables", "TracingEnabled", "MethodSettings", "AccessLogSetting", "CacheClusterEnabled", "CacheClusterSize",
		"OpenApiVersion", "GatewayResponses", "EndpointConfiguration", "Domain", "CanarySetting", "Models", "Tags", "AlwaysDeploy", "PropagateTags")
	if api["Body"] == nil && api["BodyS3Location"] == nil {
		api["Body"] = map[string]any{"swagger": "2.0", "info": map[string]any{"version": "1.0", "title": ref("AWS::StackName")}, "paths": map[string]any{}}
	}
	x.add(id, r, "AWS::ApiGateway::RestApi", api)
	deployment := id + "Deployment" + hashText(jsonText(scalars(api)))[:10]
	x.beside(deployment, r, "AWS::ApiGateway::Deployment", map[string]any{"RestApiId": ref(id), "StageName": "Stage"})
	of := map[string]any{"RestApiId": ref(id), "DeploymentId": ref(deployment), "StageName": props["StageName"]}
	for _, k := range []string{"Variables", "TracingEnabled", "MethodSettings", "AccessLogSetting"} {
		if v, ok := props[k]; ok {
			of[k] = v
		}
	}
	x.beside(id+stage+"Stage", r, "AWS::ApiGateway::Stage", of)
}

func (x *sam) httpAPI(id string, r, props map[string]any) {
	api := renamed(props, map[string]string{"DefinitionBody": "Body", "DefinitionUri": "BodyS3Location"},
		"StageName", "Auth", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageVariables", "Domain", "Tags", "CorsConfiguration", "PropagateTags")
	if api["Body"] == nil && api["BodyS3Location"] == nil {
		api["Body"] = map[string]any{"openapi": "3.0.1", "info": map[string]any{"version": "1.0", "title": ref("AWS::StackName")}, "paths": map[string]any{}}
	}
	x.add(id, r, "AWS::ApiGatewayV2::Api", api)
	stage := props["StageName"]
	if stage == nil {
		stage = "$default"
	}
	x.beside(id+"ApiGatewayDefaultStage", r, "AWS::ApiGatewayV2::Stage", map[string]any{"ApiId": ref(id), "StageName": stage, "AutoDeploy": true})
}

// implicit makes the APIs that events ask for without naming one.
func (x *sam) implicit() {
	if len(x.api) > 0 {
		x.restAPI("ServerlessRestApi", map[string]any{}, map[string]any{"StageName": "Prod", "DefinitionBody": map[string]any{
			"swagger": "2.0", "info": map[string]any{"version": "1.0", "title": ref("AWS::StackName")}, "paths": map[string]any{}, "x-routes": strings.Join(x.api, ","),
		}})
	}
	if x.http {
		x.httpAPI("ServerlessHttpApi", map[string]any{}, map[string]any{})
	}
}
