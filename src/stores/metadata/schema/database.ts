import type { Kysely } from 'kysely'
import type { AccessKeysTable } from './access-keys.ts'
import type { AccountSettingsTable } from './account-settings.ts'
import type { AdmissionRulesTable } from './admission.ts'
import type { AdvisoryPushesTable } from './advisory-pushes.ts'
import type { AuditHeadsTable } from './audit-heads.ts'
import type { BlobsTable } from './blobs.ts'
import type { CreationTemplatesTable } from './creation-templates.ts'
import type { EventDeadLettersTable, EventRulesTable, EventTargetsTable } from './event-rules.ts'
import type { IamAttachmentsTable } from './iam-attachments.ts'
import type { IamEntitiesTable } from './iam-entities.ts'
import type { IamInlinePoliciesTable } from './iam-inline-policies.ts'
import type { IamMembersTable } from './iam-members.ts'
import type { IamPolicyVersionsTable } from './iam-policy-versions.ts'
import type { ImageBlobsTable } from './image-blobs.ts'
import type { ImageChildrenTable } from './image-children.ts'
import type { ImageManifestsTable } from './image-manifests.ts'
import type { ImageSigningsTable } from './image-signings.ts'
import type { ImagesTable } from './images.ts'
import type { JobLeasesTable } from './job-leases.ts'
import type { KmsAliasesTable, KmsGrantsTable, KmsKeyMaterialsTable, KmsKeysTable, KmsKeyTagsTable } from './kms.ts'
import type { LayerFactsTable } from './layer-facts.ts'
import type { LifecyclePoliciesTable } from './lifecycle-policies.ts'
import type { LifecyclePreviewResultsTable } from './lifecycle-preview-results.ts'
import type { LifecyclePreviewsTable } from './lifecycle-previews.ts'
import type { ManagedSecretsTable, ManagedSecretTagsTable, ManagedSecretVersionsTable } from './managed-secrets.ts'
import type { MetricAlarmsTable, MetricCountsTable, MetricSeriesTable } from './metrics.ts'
import type { OutboxTable } from './outbox.ts'
import type {
  AdvisoryCursorsTable,
  FindingSuppressionsTable,
  ImagePackagesTable,
  PackagesTable,
} from './package-index.ts'
import type { PublicPullsTable } from './public-pulls.ts'
import type { PublicRegistriesTable } from './public-registries.ts'
import type { PullThroughRulesTable, UpstreamChecksTable } from './pull-through.ts'
import type { PullTimeExclusionsTable } from './pull-time-exclusions.ts'
import type { RegistryAliasesTable } from './registry-aliases.ts'
import type { RegistryPoliciesTable } from './registry-policies.ts'
import type {
  ImageOriginsTable,
  ImageReplicationsTable,
  ReplicationConfigurationsTable,
  ReplicationDeletionsTable,
  ReplicationUploadsTable,
} from './replication.ts'
import type { RepositoriesTable } from './repositories.ts'
import type { RepositoryBlobsTable } from './repository-blobs.ts'
import type { RepositoryCatalogsTable } from './repository-catalogs.ts'
import type { RepositoryPoliciesTable } from './repository-policies.ts'
import type { ResourceTagsTable } from './resource-tags.ts'
import type { RobotTokensTable } from './robot-tokens.ts'
import type {
  ImageInventoriesTable,
  ImageScanFindingsTable,
  ImageScansTable,
  ScanConfigurationsTable,
} from './scans.ts'
import type { SecretsTable } from './secrets.ts'
import type { SessionsTable } from './sessions.ts'
import type { SigningConfigurationsTable } from './signing-configurations.ts'
import type { TagsTable } from './tags.ts'
import type { TokenKeysTable } from './token-keys.ts'
import type { UploadsTable } from './uploads.ts'

/**
 * The tables by name. Moments are integer milliseconds and truths are 0 and 1, so that every dialect keeps them alike; a
 * driver hands all integers over as numbers.
 */
export interface Tables {
  access_keys: AccessKeysTable
  account_settings: AccountSettingsTable
  advisory_cursors: AdvisoryCursorsTable
  audit_heads: AuditHeadsTable
  blobs: BlobsTable
  admission_rules: AdmissionRulesTable
  finding_suppressions: FindingSuppressionsTable
  image_packages: ImagePackagesTable
  metric_alarms: MetricAlarmsTable
  metric_counts: MetricCountsTable
  metric_series: MetricSeriesTable
  packages: PackagesTable
  advisory_pushes: AdvisoryPushesTable
  creation_templates: CreationTemplatesTable
  event_dead_letters: EventDeadLettersTable
  event_rules: EventRulesTable
  event_targets: EventTargetsTable
  iam_attachments: IamAttachmentsTable
  iam_entities: IamEntitiesTable
  iam_inline_policies: IamInlinePoliciesTable
  iam_members: IamMembersTable
  iam_policy_versions: IamPolicyVersionsTable
  image_blobs: ImageBlobsTable
  image_children: ImageChildrenTable
  image_inventories: ImageInventoriesTable
  image_manifests: ImageManifestsTable
  image_scan_findings: ImageScanFindingsTable
  image_scans: ImageScansTable
  image_origins: ImageOriginsTable
  image_replications: ImageReplicationsTable
  image_signings: ImageSigningsTable
  images: ImagesTable
  job_leases: JobLeasesTable
  kms_aliases: KmsAliasesTable
  kms_grants: KmsGrantsTable
  kms_key_materials: KmsKeyMaterialsTable
  kms_key_tags: KmsKeyTagsTable
  kms_keys: KmsKeysTable
  layer_facts: LayerFactsTable
  lifecycle_policies: LifecyclePoliciesTable
  lifecycle_preview_results: LifecyclePreviewResultsTable
  lifecycle_previews: LifecyclePreviewsTable
  managed_secret_tags: ManagedSecretTagsTable
  managed_secret_versions: ManagedSecretVersionsTable
  managed_secrets: ManagedSecretsTable
  outbox: OutboxTable
  pull_through_rules: PullThroughRulesTable
  pull_time_exclusions: PullTimeExclusionsTable
  public_registries: PublicRegistriesTable
  public_pulls: PublicPullsTable
  registry_aliases: RegistryAliasesTable
  registry_policies: RegistryPoliciesTable
  replication_configurations: ReplicationConfigurationsTable
  replication_deletions: ReplicationDeletionsTable
  replication_uploads: ReplicationUploadsTable
  repositories: RepositoriesTable
  repository_blobs: RepositoryBlobsTable
  repository_catalogs: RepositoryCatalogsTable
  repository_policies: RepositoryPoliciesTable
  resource_tags: ResourceTagsTable
  robot_tokens: RobotTokensTable
  scan_configurations: ScanConfigurationsTable
  secrets: SecretsTable
  sessions: SessionsTable
  signing_configurations: SigningConfigurationsTable
  tags: TagsTable
  token_keys: TokenKeysTable
  uploads: UploadsTable
  upstream_checks: UpstreamChecksTable
}

/** What queries are built on and run by: a connection, or a transaction on one. */
export type Database = Kysely<Tables>
