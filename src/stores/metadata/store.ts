import type { Sealer } from '../../lib/master-key.ts'
import type { MetadataReader, MetadataWriter } from '../metadata.ts'
import { Accounts } from './accounts.ts'
import { Admission } from './admission.ts'
import { AdvisoryPushes } from './advisory-pushes.ts'
import { Alarms } from './alarms.ts'
import { AuditHeads } from './audit-heads.ts'
import { Blobs } from './blobs.ts'
import { CreationTemplates } from './creation-templates.ts'
import { Credentials } from './credentials.ts'
import { EventRules } from './event-rules.ts'
import { Figures } from './figures.ts'
import { Iam } from './iam.ts'
import { ImageOrigins } from './image-origins.ts'
import { Images } from './images.ts'
import { Inventories } from './inventories.ts'
import { Keys } from './keys.ts'
import { Leases } from './leases.ts'
import { Lifecycle } from './lifecycle.ts'
import { ManagedSecrets } from './managed-secrets.ts'
import { Metrics } from './metrics.ts'
import { Outbox } from './outbox.ts'
import { PackageIndex } from './package-index.ts'
import { Policies } from './policies.ts'
import { PublicRegistries } from './public-registries.ts'
import { PullThrough } from './pull-through.ts'
import { ReplicationDeletions } from './replication-deletions.ts'
import { ReplicationUploads } from './replication-uploads.ts'
import { Replications } from './replications.ts'
import { Repositories } from './repositories.ts'
import { Resets } from './resets.ts'
import { RobotTokens } from './robot-tokens.ts'
import { Scans } from './scans.ts'
import type { Database } from './schema/database.ts'
import type { Session } from './session.ts'
import { Sessions } from './sessions.ts'
import { Signings } from './signings.ts'
import { Suppressions } from './suppressions.ts'
import { TokenKeys } from './token-keys.ts'
import { Uploads } from './uploads.ts'

/** The nouns over one session. Whether one may write is said by the type under which it is handed on. */
export class SessionQueries implements MetadataReader, MetadataWriter {
  readonly accounts: Accounts
  readonly alarms: Alarms
  readonly figures: Figures
  readonly metrics: Metrics
  readonly auditHeads: AuditHeads
  readonly repositories: Repositories
  readonly images: Images
  readonly blobs: Blobs
  readonly uploads: Uploads
  readonly credentials: Credentials
  readonly eventRules: EventRules
  readonly iam: Iam
  readonly keys: Keys
  readonly inventories: Inventories
  readonly leases: Leases
  readonly lifecycle: Lifecycle
  readonly managedSecrets: ManagedSecrets
  readonly outbox: Outbox
  readonly policies: Policies
  readonly creationTemplates: CreationTemplates
  readonly replications: Replications
  readonly replicationDeletions: ReplicationDeletions
  readonly replicationUploads: ReplicationUploads
  readonly imageOrigins: ImageOrigins
  readonly resets: Resets
  readonly robotTokens: RobotTokens
  readonly sessions: Sessions
  readonly tokenKeys: TokenKeys
  readonly scans: Scans
  readonly signings: Signings
  readonly packageIndex: PackageIndex
  readonly admission: Admission
  readonly advisoryPushes: AdvisoryPushes
  readonly suppressions: Suppressions
  readonly publicRegistries: PublicRegistries
  readonly pullThrough: PullThrough

  constructor(session: Session) {
    this.accounts = new Accounts(session)
    this.alarms = new Alarms(session)
    this.figures = new Figures(session)
    this.metrics = new Metrics(session)
    this.auditHeads = new AuditHeads(session)
    this.repositories = new Repositories(session)
    this.images = new Images(session)
    this.blobs = new Blobs(session)
    this.uploads = new Uploads(session)
    this.credentials = new Credentials(session)
    this.eventRules = new EventRules(session)
    this.iam = new Iam(session)
    this.keys = new Keys(session)
    this.inventories = new Inventories(session)
    this.leases = new Leases(session)
    this.lifecycle = new Lifecycle(session)
    this.managedSecrets = new ManagedSecrets(session)
    this.outbox = new Outbox(session)
    this.policies = new Policies(session)
    this.creationTemplates = new CreationTemplates(session)
    this.replications = new Replications(session)
    this.replicationDeletions = new ReplicationDeletions(session)
    this.replicationUploads = new ReplicationUploads(session)
    this.imageOrigins = new ImageOrigins(session)
    this.resets = new Resets(session)
    this.robotTokens = new RobotTokens(session)
    this.sessions = new Sessions(session)
    this.tokenKeys = new TokenKeys(session)
    this.scans = new Scans(session)
    this.signings = new Signings(session)
    this.packageIndex = new PackageIndex(session)
    this.admission = new Admission(session)
    this.advisoryPushes = new AdvisoryPushes(session)
    this.suppressions = new Suppressions(session)
    this.publicRegistries = new PublicRegistries(session)
    this.pullThrough = new PullThrough(session)
  }
}

/** The nouns inside a snapshot or transaction, where all statements see one state anyway. */
export function queriesIn(
  db: Database,
  sealer: Sealer,
  notePolicyChange: () => void = () => {},
  noteEvents: () => void = () => {},
): SessionQueries {
  return new SessionQueries({ db, sealer, atOnce: (work) => work(db), notePolicyChange, noteEvents })
}
