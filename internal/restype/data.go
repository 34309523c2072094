package restype

import "strings"

// Holding says what kind of data a resource type holds, if any.
type Holding uint8

const (
	// HoldsNothing is a type whose loss costs no data.
	HoldsNothing Holding = iota
	// HoldsPassing is a type whose data passes through: logs, queues, streams, caches.
	HoldsPassing
	// HoldsSecret is a secret.
	HoldsSecret
	// HoldsNested is a nested stack, to be judged by what it contains.
	HoldsNested
	// HoldsLasting is a type whose data is lost with it: databases, tables, buckets,
	// file systems, volumes, user pools, keys, vaults, search domains.
	HoldsLasting
)

// HoldsData reports whether the loss of a resource of that type may lose data of
// any kind.
func HoldsData(name string) bool {
	return Holds(name) != HoldsNothing
}

// Holds says what kind of data a resource of that type holds. A type that the
// table flags and no rule here names counts as lasting.
func Holds(name string) Holding {
	if h, ok := holding(name); ok {
		return h
	}
	if t, ok := Lookup(name); ok && t.Data {
		return HoldsLasting
	}
	return HoldsNothing
}

func holding(name string) (Holding, bool) {
	switch name {
	case "AWS::CloudFormation::Stack":
		return HoldsNested, true
	case "AWS::SecretsManager::Secret":
		return HoldsSecret, true
	case "AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::Kinesis::Stream", "AWS::KinesisVideo::Stream",
		"AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster", "AWS::AmazonMQ::Broker",
		"AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache",
		"AWS::ElastiCache::GlobalReplicationGroup", "AWS::DAX::Cluster", "AWS::FSx::FileCache", "AWS::EMR::Cluster":
		return HoldsPassing, true
	case "AWS::Organizations::Account":
		return HoldsLasting, true
	}
	if lasting(name) {
		return HoldsLasting, true
	}
	return HoldsNothing, false
}

// lasting names the kinds of break.md's guard G10 that the sources do not flag.
func lasting(name string) bool {
	service, kind, _ := strings.Cut(strings.TrimPrefix(name, "AWS::"), "::")
	switch kind {
	case "Bucket", "DirectoryBucket", "TableBucket", "VectorBucket", "FileSystem", "Volume",
		"UserPool", "IdentityPool", "Keyspace", "Ledger", "BackupVault", "LogicallyAirGappedBackupVault",
		"DBCluster", "DBInstance", "GlobalTable", "Database", "EventDataStore", "KeyValueStore",
		"Datastore", "FHIRDatastore", "SequenceStore", "ReferenceStore", "VariantStore", "AnnotationStore", "Vault", "Disk":
		return strings.HasPrefix(name, "AWS::")
	}
	switch service {
	case "DSQL", "DocDBElastic", "MemoryDB", "Redshift", "QLDB":
		return kind == "Cluster" || kind == "MultiRegionCluster"
	case "DocDB", "Neptune", "RDS":
		return kind == "GlobalCluster"
	case "DynamoDB", "Cassandra", "S3Tables", "Timestream", "Glue":
		return kind == "Table" || kind == "InfluxDBInstance" || kind == "InfluxDBCluster"
	case "RedshiftServerless":
		return kind == "Namespace"
	case "NeptuneGraph":
		return kind == "Graph"
	case "CloudHSM":
		return kind == "Cluster"
	case "DirectoryService":
		return kind == "MicrosoftAD" || kind == "SimpleAD"
	case "KMS", "PaymentCryptography":
		return kind == "Key" || kind == "ReplicaKey"
	case "OpenSearchService", "Elasticsearch", "SDB":
		return kind == "Domain"
	case "OpenSearchServerless":
		return kind == "Collection" || kind == "Index"
	case "Kendra", "S3Vectors":
		return kind == "Index"
	case "ECR":
		return kind == "Repository" || kind == "PublicRepository"
	case "CodeCommit", "CodeArtifact":
		return kind == "Repository"
	}
	return false
}
