import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTag } from '../../src/domain/names.ts'
import type { RegistryAlias } from '../../src/domain/public-registry.ts'
import { migrate } from '../../src/stores/metadata/migrations/migrate.ts'
import { SqliteConnection } from '../../src/stores/metadata/sqlite/connection.ts'
import { databaseOn } from '../../src/stores/metadata/sqlite/dialect.ts'
import { queriesIn } from '../../src/stores/metadata/store.ts'
import type { MetadataWriter } from '../../src/stores/metadata.ts'
import { plain } from '../suites/blob-bytes.ts'
import { newTemplate } from '../suites/metadata-store-creation-templates.ts'
import { deadLetter, eventRule } from '../suites/metadata-store-event-rules.ts'
import { newEntity } from '../suites/metadata-store-iam.ts'
import { previewResult } from '../suites/metadata-store-lifecycle.ts'
import { eventAt } from '../suites/metadata-store-outbox.ts'
import { packages, suppression } from '../suites/metadata-store-package-index.ts'
import { digestOf, minute, newImage, newRepository, REGISTRY, refOf } from '../suites/metadata-store-records.ts'
import { robotToken, sessionRecord } from '../suites/metadata-store-sessions.ts'
import { principal } from '../suites/metadata-store-signing.ts'
import { testMasterKey } from '../support/test-master-key.ts'

interface Plan {
  readonly statement: string
  readonly steps: readonly string[]
}

const digest = digestOf(1)
const digests = [1, 2, 3].map(digestOf)
const tag = parseTag('v1')
const page = { after: digest, limit: 100 }
const upload = { id: 'u', repositoryId: 1, key: 'k', startedAt: minute(1), touchedAt: minute(1) }
const policy = { repositoryId: 1, policyId: 'p', text: '', putAt: minute(1) }
const alias: RegistryAlias = {
  name: 'a1',
  registryId: REGISTRY.registryId,
  status: 'ACTIVE',
  isPrimary: true,
  isDefault: true,
}
const needs = digests.map((one) => ({ digest: one, mediaType: 'layer' }))

/** Every look and every change but those that count everything, in an order in which each finds rows. */
const looks: Record<string, (tx: MetadataWriter) => Promise<unknown>> = {
  'repositories.insert': (tx) => tx.repositories.insert(newRepository('app')),
  'repositories.find': (tx) => tx.repositories.find(refOf('app')),
  'repositories.list': (tx) => tx.repositories.list(REGISTRY, { limit: 10 }),
  'repositories.count': (tx) => tx.repositories.count(REGISTRY),
  'repositories.setMutability': (tx) => tx.repositories.setMutability(1, newRepository('app').mutability),
  'repositories.setScanning': (tx) => tx.repositories.setScanning(1, true),
  'repositories.putResourceTags': (tx) => tx.repositories.putResourceTags(1, [{ key: 'a', value: 'b' }]),
  'repositories.listResourceTags': (tx) => tx.repositories.listResourceTags(1),
  'repositories.deleteResourceTags': (tx) => tx.repositories.deleteResourceTags(1, ['a', 'b']),
  'blobs.claim': async (tx) => {
    for (const one of digests) await tx.blobs.claim(plain(one), minute(1))
  },
  'blobs.link': async (tx) => {
    for (const one of digests) await tx.blobs.link(1, plain(one), 1, minute(1))
  },
  'images.insert': async (tx) => {
    await tx.images.insert(newImage(1, 1, { blobs: needs, children: digests, subject: digest }))
    for (const seed of [2, 3]) await tx.images.insert(newImage(1, seed))
  },
  'images.putTag': (tx) => tx.images.putTag(1, tag, 1, minute(1)),
  'images.find by digest': (tx) => tx.images.find(1, { digest }),
  'images.find by tag': (tx) => tx.images.find(1, { tag }),
  'images.resolve by digest': (tx) => tx.images.resolve(refOf('app'), { digest }),
  'images.resolve by tag': (tx) => tx.images.resolve(refOf('app'), { tag }),
  'images.findMany': (tx) => tx.images.findMany(1, digests),
  'images.tagsOf': (tx) => tx.images.tagsOf(1),
  'images.list': (tx) => tx.images.list(1, {}, { limit: 10 }),
  'images.list tagged': (tx) => tx.images.list(1, { tagStatus: 'TAGGED' }, { limit: 10 }),
  'images.list untagged': (tx) => tx.images.list(1, { tagStatus: 'UNTAGGED' }, { limit: 10 }),
  'images.listIds': (tx) => tx.images.listIds(1, {}, { limit: 10 }),
  'images.listTags': (tx) => tx.images.listTags(1, { limit: 10 }),
  'images.listReferrers': (tx) => tx.images.listReferrers(1, digest, {}, page),
  'images.listReferrers of a type': (tx) => tx.images.listReferrers(1, digest, { artifactTypes: ['sbom'] }, page),
  'images.list by status': (tx) => tx.images.list(1, { status: 'ACTIVE' }, page),
  'images.list by status, tagged': (tx) => tx.images.list(1, { status: 'ARCHIVED', tagStatus: 'TAGGED' }, page),
  'images.listIds by status': (tx) => tx.images.listIds(1, { status: 'ACTIVE' }, { limit: 10 }),
  'images.listReferrers by status': (tx) => tx.images.listReferrers(1, digest, { status: 'ACTIVE' }, page),
  'images.livingParentsOf': (tx) => tx.images.livingParentsOf(1, digest, 10),
  'images.childrenOf': (tx) => tx.images.childrenOf(1, digest),
  'images.setStatus': (tx) => tx.images.setStatus(1, 'ACTIVATING', minute(1)),
  'images.isActivationDue': (tx) => tx.images.isActivationDue(minute(1)),
  'images.listActivationsDue': (tx) => tx.images.listActivationsDue(minute(1), 10),
  'images.activateDue': (tx) => tx.images.activateDue(minute(1), 10),
  'images.parentsOf': (tx) => tx.images.parentsOf(1, digest, 10),
  'images.sizesOf': (tx) => tx.images.sizesOf(1, digests),
  'images.count': (tx) => tx.images.count(1),
  'images.countTags': (tx) => tx.images.countTags(1),
  'images.recordPulls': (tx) => tx.images.recordPulls(new Map([[1, minute(2)]])),
  'images.deleteTag': (tx) => tx.images.deleteTag(1, tag),
  'blobs.findLinked': (tx) => tx.blobs.findLinked(1, digest),
  'blobs.resolve': (tx) => tx.blobs.resolve(refOf('app'), digest),
  'blobs.findLinkedMany': (tx) => tx.blobs.findLinkedMany(1, digests),
  'blobs.findHolder': (tx) => tx.blobs.findHolder(REGISTRY, digest, { type: 'AES256' }),
  'blobs.listUnusedLinks': (tx) => tx.blobs.listUnusedLinks(minute(1), 10),
  'blobs.listDead': (tx) => tx.blobs.listDead(minute(1), 10),
  'blobs.list': (tx) => tx.blobs.list({ after: plain(digest), limit: 10 }),
  'blobs.exists': (tx) => tx.blobs.exists(plain(digest)),
  'blobs.unlink': (tx) => tx.blobs.unlink(1, digest, minute(1)),
  'blobs.unlinkUnused': (tx) => tx.blobs.unlinkUnused(1, digest, minute(1)),
  'blobs.adopt': (tx) => tx.blobs.adopt(plain(digest), 1, minute(1)),
  'blobs.mark': (tx) => tx.blobs.mark(plain(digest), minute(1)),
  'blobs.lose': (tx) => tx.blobs.lose(plain(digest), minute(1)),
  'blobs.forget': (tx) => tx.blobs.forget(plain(digest)),
  'signings.putConfiguration': (tx) => tx.signings.putConfiguration(REGISTRY, { rules: [] }),
  'signings.findConfiguration': (tx) => tx.signings.findConfiguration(REGISTRY),
  'signings.deleteConfiguration': (tx) => tx.signings.deleteConfiguration(REGISTRY),
  'signings.request': async (tx) => {
    const image = await tx.images.find(1, { digest })
    if (image !== undefined) await tx.signings.request(image, ['a', 'b'], principal)
  },
  'signings.listOfImage': (tx) => tx.signings.listOfImage(1),
  'signings.listUnfinished': (tx) => tx.signings.listUnfinished({ after: 0, limit: 10 }),
  'signings.end': (tx) => tx.signings.end(1, { code: 'c', reason: 'r' }),
  'packageIndex.put': (tx) => tx.packageIndex.put(1, packages),
  'packageIndex.imagesWith': (tx) => tx.packageIndex.imagesWith(packages),
  'packageIndex.listImages': (tx) => tx.packageIndex.listImages({ after: 0, limit: 10 }),
  'packageIndex.putRevision': (tx) => tx.packageIndex.putRevision(7),
  'packageIndex.findRevision': (tx) => tx.packageIndex.findRevision(),
  'suppressions.put': (tx) => tx.suppressions.put(REGISTRY, suppression),
  'suppressions.list': (tx) => tx.suppressions.list(REGISTRY),
  'suppressions.delete': (tx) => tx.suppressions.delete(REGISTRY, suppression.id),
  'images.delete': (tx) => tx.images.delete(1, minute(1)),
  'accounts.putSetting': (tx) => tx.accounts.putSetting(REGISTRY, 'BLOB_MOUNTING', 'ENABLED'),
  'accounts.findSetting': (tx) => tx.accounts.findSetting(REGISTRY, 'BLOB_MOUNTING'),
  'accounts.insertPullTimeExclusion': (tx) => tx.accounts.insertPullTimeExclusion(REGISTRY, 'a', minute(1)),
  'accounts.listPullTimeExclusions': (tx) => tx.accounts.listPullTimeExclusions(REGISTRY, { limit: 10 }),
  'accounts.deletePullTimeExclusion': (tx) => tx.accounts.deletePullTimeExclusion(REGISTRY, 'a'),
  'uploads.insert': (tx) => tx.uploads.insert(upload),
  'uploads.find': (tx) => tx.uploads.find(1, 'u'),
  'uploads.touch': (tx) => tx.uploads.touch('u', minute(1), 1),
  'uploads.listStale': (tx) => tx.uploads.listStale(minute(1), 10),
  'uploads.countStale': (tx) => tx.uploads.countStale(minute(1)),
  'uploads.hasKey': (tx) => tx.uploads.hasKey('k'),
  'uploads.delete': (tx) => tx.uploads.delete('u'),
  'credentials.putAccessKey': (tx) =>
    tx.credentials.putAccessKey({
      accessKeyId: 'a',
      secretAccessKey: 'b',
      accountId: 'c',
      principalArn: 'd',
      createdAt: minute(1),
      status: 'Active',
    }),
  'credentials.findAccessKey': (tx) => tx.credentials.findAccessKey('a'),
  'sessions.insert': (tx) => tx.sessions.insert(sessionRecord('ASIA1')),
  'sessions.find': (tx) => tx.sessions.find('ASIA1'),
  'sessions.deleteEnded': (tx) => tx.sessions.deleteEnded(minute(1), 10),
  'sessions.revoke': (tx) => tx.sessions.revoke('arn', minute(1)),
  'robotTokens.insert': (tx) => tx.robotTokens.insert(robotToken('r1')),
  'robotTokens.find': (tx) => tx.robotTokens.find('r1'),
  'robotTokens.list': (tx) => tx.robotTokens.list({ limit: 10 }),
  'robotTokens.deleteEnded': (tx) => tx.robotTokens.deleteEnded(minute(1)),
  'robotTokens.delete': (tx) => tx.robotTokens.delete('r1'),
  'tokenKeys.insert': (tx) => tx.tokenKeys.insert({ id: 'k', secret: new Uint8Array(1), createdAt: minute(1) }),
  'tokenKeys.list': (tx) => tx.tokenKeys.list(),
  'tokenKeys.delete': (tx) => tx.tokenKeys.delete(['k']),
  'credentials.keepSecret': (tx) => tx.credentials.keepSecret('a', new Uint8Array(1)),
  'credentials.findSecret': (tx) => tx.credentials.findSecret('a'),
  'iam.insert': async (tx) => {
    for (const kind of ['user', 'group'] as const) await tx.iam.insert(newEntity(kind, 'a'))
    for (const kind of ['role', 'policy'] as const) await tx.iam.insert({ ...newEntity(kind, 'a'), boundaryArn: 'b' })
  },
  'iam.find': (tx) => tx.iam.find('user', REGISTRY.registryId, 'a'),
  'iam.findByUniqueId': (tx) => tx.iam.findByUniqueId('a'),
  'iam.list': (tx) => tx.iam.list('user', REGISTRY.registryId, { pathPrefix: '/a/', limit: 10 }),
  'iam.counts': (tx) => tx.iam.counts(REGISTRY.registryId),
  'iam.putInline': (tx) => tx.iam.putInline(1, { name: 'a', text: 'b' }),
  'iam.findInline': (tx) => tx.iam.findInline(1, 'a'),
  'iam.listInline': (tx) => tx.iam.listInline(1),
  'iam.attach': (tx) => tx.iam.attach({ id: 1, accountId: REGISTRY.registryId }, 'b'),
  'iam.listAttached': (tx) => tx.iam.listAttached(1),
  'iam.listAttachedTo': (tx) => tx.iam.listAttachedTo(REGISTRY.registryId, 'b'),
  'iam.listBoundedBy': (tx) => tx.iam.listBoundedBy(REGISTRY.registryId, 'b'),
  'iam.policyUses': (tx) => tx.iam.policyUses(REGISTRY.registryId),
  'iam.policyUse': (tx) => tx.iam.policyUse(REGISTRY.registryId, 'b'),
  'iam.insertVersion': (tx) => tx.iam.insertVersion(1, { number: 1, text: 'a', createdAt: minute(1) }),
  'iam.listVersions': (tx) => tx.iam.listVersions(1),
  'iam.findVersion': (tx) => tx.iam.findVersion(1, 1),
  'iam.deleteVersion': (tx) => tx.iam.deleteVersion(1, 1),
  'iam.addMember': (tx) => tx.iam.addMember(2, 1),
  'iam.listMembers': (tx) => tx.iam.listMembers(2),
  'iam.listGroupsOf': (tx) => tx.iam.listGroupsOf(1),
  'iam.findIdentity': (tx) => tx.iam.findIdentity(newEntity('user', 'a').uniqueId),
  'iam.noteUse': (tx) => tx.iam.noteUse('a', minute(1), 'r'),
  'iam.setTags': (tx) => tx.iam.setTags(1, []),
  'iam.update': (tx) => tx.iam.update({ ...newEntity('user', 'a'), id: 1 }),
  'iam.removeMember': (tx) => tx.iam.removeMember(2, 1),
  'iam.detach': (tx) => tx.iam.detach(1, 'b'),
  'iam.deleteInline': (tx) => tx.iam.deleteInline(1, 'a'),
  'iam.delete': (tx) => tx.iam.delete(1),
  'credentials.listAccessKeys': (tx) => tx.credentials.listAccessKeys('d', { limit: 10 }),
  'credentials.setAccessKeyStatus': (tx) => tx.credentials.setAccessKeyStatus('a', 'Inactive'),
  'credentials.renamePrincipal': (tx) => tx.credentials.renamePrincipal(3, 'd'),
  'credentials.recordKeyUses': (tx) =>
    tx.credentials.recordKeyUses(new Map([['a', { at: minute(1), region: 'r', service: 's' }]])),
  'credentials.deleteAccessKey': (tx) => tx.credentials.deleteAccessKey('a'),
  'creationTemplates.insert': (tx) => tx.creationTemplates.insert(newTemplate('prod')),
  'creationTemplates.update': (tx) => tx.creationTemplates.update(newTemplate('prod')),
  'creationTemplates.findMany': (tx) => tx.creationTemplates.findMany(REGISTRY, ['prod', 'ROOT']),
  'creationTemplates.list': (tx) => tx.creationTemplates.list(REGISTRY, { limit: 10 }),
  'creationTemplates.delete': (tx) => tx.creationTemplates.delete(REGISTRY, 'prod'),
  'publicRegistries.insertAlias': (tx) => tx.publicRegistries.insertAlias(alias),
  'publicRegistries.findAlias': (tx) => tx.publicRegistries.findAlias(alias.name),
  'publicRegistries.listAliases': (tx) => tx.publicRegistries.listAliases(alias.registryId),
  'publicRegistries.putDisplayName': (tx) => tx.publicRegistries.putDisplayName(alias.registryId, 'n'),
  'publicRegistries.findDisplayName': (tx) => tx.publicRegistries.findDisplayName(alias.registryId),
  'publicRegistries.putCatalog': (tx) => tx.publicRegistries.putCatalog(1, { logoId: 'l' }, new Uint8Array(1)),
  'publicRegistries.findCatalog': (tx) => tx.publicRegistries.findCatalog(1),
  'publicRegistries.findLogo': (tx) => tx.publicRegistries.findLogo('l'),
  'publicRegistries.listTagDetails': (tx) => tx.publicRegistries.listTagDetails(1, { after: tag, limit: 10 }),
  'policies.putOfRepository': (tx) => tx.policies.putOfRepository({ ...newRepository('app'), id: 1 }, '{}'),
  'policies.putOfRegistry': (tx) => tx.policies.putOfRegistry(REGISTRY, '{}'),
  'policies.ofRepository': (tx) => tx.policies.ofRepository(refOf('app')),
  'policies.ofRegistry': (tx) => tx.policies.ofRegistry(REGISTRY),
  'policies.deleteOfRepository': (tx) => tx.policies.deleteOfRepository(1),
  'policies.deleteOfRegistry': (tx) => tx.policies.deleteOfRegistry(REGISTRY),
  'lifecycle.putPolicy': (tx) => tx.lifecycle.putPolicy(policy, minute(1)),
  'lifecycle.findPolicy': (tx) => tx.lifecycle.findPolicy(1),
  'lifecycle.listDue': (tx) => tx.lifecycle.listDue(minute(2), 10),
  'lifecycle.listPolicies': (tx) => tx.lifecycle.listPolicies({ limit: 10 }),
  'lifecycle.listImages': (tx) => tx.lifecycle.listImages(1, { limit: 10 }),
  'lifecycle.postpone': (tx) => tx.lifecycle.postpone(policy, minute(1)),
  'lifecycle.insertPreview': (tx) =>
    tx.lifecycle.insertPreview({ repositoryId: 1, text: '', startedAt: minute(1), purgeAt: minute(1) }),
  'lifecycle.findPreview': (tx) => tx.lifecycle.findPreview(1),
  'lifecycle.listUnfinishedPreviews': (tx) => tx.lifecycle.listUnfinishedPreviews(1),
  'lifecycle.addPreviewResults': (tx) =>
    tx.lifecycle.addPreviewResults(
      1,
      [1, 2, 3].map((at) => previewResult(at)),
    ),
  'lifecycle.listPreviewResults': (tx) => tx.lifecycle.listPreviewResults(1, 'ANY', { limit: 10 }),
  'lifecycle.listPreviewResults by tag status': (tx) => tx.lifecycle.listPreviewResults(1, 'UNTAGGED', { limit: 10 }),
  'lifecycle.findPreviewResults': (tx) => tx.lifecycle.findPreviewResults(1, digests),
  'lifecycle.deletePreviewResults': (tx) => tx.lifecycle.deletePreviewResults(1, 1),
  'lifecycle.endPreview': (tx) => tx.lifecycle.endPreview(1, 'COMPLETE', { expiring: 0, transitioning: 0 }),
  'lifecycle.isPurgeDue': (tx) => tx.lifecycle.isPurgeDue(minute(2)),
  'lifecycle.purgePreviews': (tx) => tx.lifecycle.purgePreviews(minute(2), 10),
  'lifecycle.deletePolicy': (tx) => tx.lifecycle.deletePolicy(1),
  'eventRules.put': (tx) => tx.eventRules.put(eventRule('a')),
  'eventRules.find': (tx) => tx.eventRules.find(REGISTRY, 'a'),
  'eventRules.list': (tx) => tx.eventRules.list(REGISTRY, 'a', { limit: 10 }),
  'eventRules.count': (tx) => tx.eventRules.count(REGISTRY),
  'eventRules.setTags': (tx) => tx.eventRules.setTags(1, []),
  'eventRules.putTarget': (tx) => tx.eventRules.putTarget(1, 't', { arn: 'a' }, 1),
  'eventRules.setState': (tx) => tx.eventRules.setState(1, 'ENABLED', 1),
  'eventRules.listTargets': (tx) => tx.eventRules.listTargets(1),
  'eventRules.listActive': (tx) => tx.eventRules.listActive(),
  'eventRules.findActive': (tx) => tx.eventRules.findActive(1),
  'eventRules.advance': (tx) => tx.eventRules.advance(1, 1, 2),
  'eventRules.rewind': (tx) => tx.eventRules.rewind(1, 1),
  'eventRules.deleteTarget': (tx) => tx.eventRules.deleteTarget(1, 't'),
  'eventRules.addDeadLetter': (tx) => tx.eventRules.addDeadLetter(deadLetter(1)),
  'eventRules.listDeadLetters': (tx) => tx.eventRules.listDeadLetters({ limit: 10 }),
  'eventRules.pruneDeadLetters': (tx) => tx.eventRules.pruneDeadLetters(minute(9), 0, 10),
  'eventRules.delete': (tx) => tx.eventRules.delete(1),
  'outbox.append': (tx) => tx.outbox.append(eventAt(1)),
  'outbox.list': (tx) => tx.outbox.list(0, 10),
  'outbox.list of a registry': (tx) => tx.outbox.list(0, 10, REGISTRY),
  'outbox.range': (tx) => tx.outbox.range(),
  'outbox.prune': async (tx) => {
    await tx.outbox.append(eventAt(2))
    await tx.outbox.prune(minute(9), 0, 10)
  },
  'leases.take': (tx) => tx.leases.take('job', 'a', minute(1), minute(2)),
  'leases.release': (tx) => tx.leases.release('job', 'a'),
  'repositories.delete': (tx) => tx.repositories.delete(1),
  'repositories.purgeDeleted': (tx) => tx.repositories.purgeDeleted(100),
}

/** An index over a part of the rows is read through on purpose, where that part is what is asked for. */
const PARTIAL =
  /INDEX (blobs_marked|token_keys_by_age|image_signings_unfinished|lifecycle_previews_unfinished|repositories_deleted)$/

function isCostly(step: string): boolean {
  if (/^SCAN (\d+-ROW VALUES CLAUSE|CONSTANT ROW)$/.test(step) || PARTIAL.test(step)) return false
  return /^SCAN |TEMP B-TREE/.test(step)
}

describe('query plans', () => {
  let directory: string
  let connection: SqliteConnection
  let queries: MetadataWriter
  let plans: Plan[] = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ecru-metadata-'))
    connection = new SqliteConnection(join(directory, 'metadata.db'), ['foreign_keys=on'])
    await migrate(databaseOn(connection))
    queries = queriesIn(
      databaseOn({
        execute: (statement, parameters) => {
          const { rows } = connection.execute(`explain query plan ${statement}`, parameters)
          plans.push({ statement, steps: rows.map(({ detail }) => String(detail)) })
          return connection.execute(statement, parameters)
        },
      }),
      testMasterKey,
    )
  })

  afterAll(async () => {
    connection.close()
    await rm(directory, { recursive: true })
  })

  for (const [name, look] of Object.entries(looks))
    test(`${name} walks along indexes, without reading a table through and without sorting`, async () => {
      plans = []
      await look(queries)
      expect(plans.length).toBeGreaterThan(0)
      const costly = plans.filter(({ steps }) => steps.some(isCostly))
      expect(costly).toEqual([])
    })

  for (const name of [
    'images.resolve by digest',
    'images.resolve by tag',
    'blobs.resolve',
    'blobs.findLinked',
    'credentials.findAccessKey',
  ])
    test(`${name} is one statement`, async () => {
      plans = []
      await looks[name]?.(queries)
      expect(plans).toHaveLength(1)
    })
})
