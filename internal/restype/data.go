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
	// file systems, volumes (an instance's own go with it), user pools, keys, vaults,
	// search domains, and what is like them.
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
	case "AWS::Logs::LogGroup", "AWS::Logs::LogStream", "AWS::APS::Workspace", "AWS::Events::Archive", "AWS::Location::Tracker", "AWS::SQS::Queue", "AWS::Kinesis::Stream", "AWS::KinesisVideo::Stream",
		"AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster", "AWS::AmazonMQ::Broker",
		"AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache",
		"AWS::ElastiCache::GlobalReplicationGroup", "AWS::DAX::Cluster", "AWS::FSx::FileCache", "AWS::EMR::Cluster":
		return HoldsPassing, true
	case "AWS::Organizations::Account":
		return HoldsLasting, true
	}
	if lasting(name) || machine(name) || gathered(name) || HoldsStacks(name) {
		return HoldsLasting, true
	}
	return HoldsNothing, false
}

// OnlyEmpty reports whether AWS refuses to delete a resource of that type that holds
// data while anything is in it.
func OnlyEmpty(name string) bool {
	switch name {
	case "AWS::S3::Bucket", "AWS::S3Express::DirectoryBucket", "AWS::S3Tables::TableBucket", "AWS::S3Vectors::VectorBucket",
		"AWS::ECR::Repository", "AWS::ECR::PublicRepository", "AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault":
		return true
	}
	return false
}

// HoldsStacks reports whether a resource of that type stands for stacks that are made
// and deleted with it, here or in other accounts, though they are nested in none.
func HoldsStacks(name string) bool {
	switch name {
	case "AWS::CloudFormation::StackSet", "AWS::ServiceCatalog::CloudFormationProvisionedProduct", "AWS::ElasticBeanstalk::Environment",
		"AWS::SageMaker::Project", "AWS::DataZone::Environment", "AWS::ControlTower::LandingZone", "AWS::Amplify::App", "AWS::Amplify::Branch",
		"AWS::Cloud9::EnvironmentEC2", "AWS::Serverless::Application":
		return true
	}
	return false
}

// machine names what has a volume of its own, which is deleted with it.
func machine(name string) bool {
	switch name {
	case "AWS::EC2::Instance", "AWS::Lightsail::Instance", "AWS::OpsWorks::Instance", "AWS::Cloud9::EnvironmentEC2",
		"AWS::SageMaker::NotebookInstance", "AWS::SageMaker::Space", "AWS::WorkSpaces::Workspace",
		"AWS::WorkspacesInstances::WorkspaceInstance", "AWS::AppStream::ImageBuilder":
		return true
	}
	return false
}

// gathered names what users and programs fill while it lives, though its type is
// called neither a database nor a store.
func gathered(name string) bool {
	switch strings.TrimPrefix(name, "AWS::") {
	case "AuditManager::Assessment", "BedrockAgentCore::Memory", "Cases::Domain", "Chime::AppInstance", "CodeStar::GitHubRepository", "Connect::Instance", "Connect::DataTable",
		"CustomerProfiles::Domain", "DataExchange::DataSet", "DataZone::Domain", "EKS::Cluster", "EMR::WALWorkspace", "FinSpace::Environment",
		"Forecast::Dataset", "FSx::Backup", "Glue::Catalog", "Glue::Registry", "Glue::Schema", "Grafana::Workspace", "IoTAnalytics::Channel",
		"IoTSiteWise::Asset", "Location::GeofenceCollection", "MWAA::Environment", "MediaStore::Container", "ODB::CloudAutonomousVmCluster", "ODB::CloudVmCluster",
		"Personalize::Dataset", "Pinpoint::App", "QBusiness::Index", "Rekognition::Collection", "SES::ContactList", "SES::MailManagerArchive",
		"SSMIncidents::ReplicationSet", "SSO::Instance", "SageMaker::FeatureGroup", "SageMaker::MlflowTrackingServer",
		"VerifiedPermissions::PolicyStore", "VoiceID::Domain", "Wisdom::KnowledgeBase":
		return strings.HasPrefix(name, "AWS::")
	}
	return false
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
	if strings.HasSuffix(kind, "Snapshot") {
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
	case "ACMPCA":
		return kind == "CertificateAuthority"
	case "OpenSearchService", "Elasticsearch", "SDB":
		return kind == "Domain"
	case "OpenSearchServerless":
		return kind == "Collection" || kind == "Index" || kind == "CollectionIndex"
	case "Kendra", "S3Vectors":
		return kind == "Index"
	case "ECR":
		return kind == "Repository" || kind == "PublicRepository"
	case "CodeCommit", "CodeArtifact":
		return kind == "Repository"
	}
	return false
}
