import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { parseDigest } from '../../src/domain/digest.ts'
import type { Inventory } from '../../src/domain/inventory/package.ts'
import { writeCycloneDx } from '../../src/domain/sbom/cyclonedx.ts'
import { imagePurl, packageKeys, type SbomSubject, sbomContent } from '../../src/domain/sbom/sbom.ts'
import { writeSpdx } from '../../src/domain/sbom/spdx.ts'
import { inventoryOf, readGolden } from '../support/golden-inventory.ts'

const SCHEMAS = join(import.meta.dir, '../../node_modules/@cyclonedx/cyclonedx-library/res/schema')

const SUBJECT: SbomSubject = {
  repository: '000000000000.dkr.ecr.us-east-1.amazonaws.com/team/App',
  digest: parseDigest(`sha256:${'ab'.repeat(32)}`),
  platform: 'linux/arm64',
  serial: '3e671687-395b-41f5-a30f-a58921a69b79',
  createdAt: new Date('2026-11-21T03:00:00.123Z'),
  toolVersion: '1.2.3',
}

const IMAGES = ['alpine-3.10.4', 'almalinux-9.2-sqlite', 'debian-12.0', 'langs', 'centos-bdb-libuuid']

function inventory(image: string): Inventory {
  const { os, packages } = inventoryOf(readGolden(image))
  const licences = ['MIT', 'mit', 'GPL-2.0-or-later', 'the licence of "Foo" & Bar (see file)']
  const [first, ...others] = packages
  const layerDigest = SUBJECT.digest
  const notes = [{ layerDigest, path: 'app/x.jar', reason: 'It is no archive.' }]
  return { os, packages: first === undefined ? [] : [{ ...first, licences }, ...others], analyserVersion: 7, notes }
}

function read(name: string): object {
  return JSON.parse(readFileSync(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object
}

function validator(version: string): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true })
  formats.default(ajv)
  for (const format of ['iri-reference', 'idn-email']) ajv.addFormat(format, true)
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  return ajv.compile(read(`bom-${version}`))
}

describe('CycloneDX', () => {
  for (const version of ['1.5', '1.6'] as const)
    test(`${version} documents hold to the published schema`, () => {
      const validate = validator(version)
      for (const image of [...IMAGES.map(inventory), { os: undefined, packages: [], analyserVersion: 7, notes: [] }]) {
        const document = writeCycloneDx(version, SUBJECT, image)
        validate(JSON.parse(JSON.stringify(document)))
        expect(validate.errors ?? []).toEqual([])
      }
      expect(validate({ bomFormat: 'CycloneDX', specVersion: version, components: [{ type: 'library' }] })).toBe(false)
    })

  test('names each package with all that is known of it', () => {
    const document = JSON.parse(JSON.stringify(writeCycloneDx('1.6', SUBJECT, inventory('debian-12.0')))) as Wire
    const { packages } = inventory('debian-12.0')
    expect(document.components).toHaveLength(packages.length + 1)
    expect(document.components[0]).toMatchObject({
      'bom-ref': 'operating-system',
      name: 'debian',
      version: '12.0',
    })
    expect(new Set(document.components.map((one) => one['bom-ref'])).size).toBe(document.components.length)
    expect(document.dependencies[0]?.dependsOn).toEqual(document.components.map((one) => one['bom-ref']))
    expect(document.components[1]?.licenses).toEqual([
      { license: { id: 'MIT' } },
      { license: { id: 'GPL-2.0-or-later' } },
      { license: { name: 'the licence of "Foo" & Bar (see file)' } },
    ])
  })

  test('splits the names of scopes and groups', () => {
    const document = JSON.parse(JSON.stringify(writeCycloneDx('1.6', SUBJECT, inventory('langs')))) as Wire
    const groups = document.components.flatMap(({ group, name }) => (group === undefined ? [] : [`${group} ${name}`]))
    expect(groups).toContain('org.apache.logging.log4j log4j-core')
    expect(groups.some((one) => one.startsWith('@'))).toBe(true)
  })

  test('says that what could not be read is missing', () => {
    const image = inventory('langs')
    expect(JSON.stringify(writeCycloneDx('1.6', SUBJECT, image))).toContain('"aggregate":"incomplete"')
    expect(JSON.stringify(writeCycloneDx('1.6', SUBJECT, image))).toContain('app/x.jar: It is no archive.')
    expect(JSON.stringify(writeCycloneDx('1.6', SUBJECT, { ...image, notes: [] }))).toContain('"aggregate":"unknown"')
  })
})

interface Wire {
  readonly components: readonly {
    readonly version?: string
    readonly 'bom-ref': string
    readonly group?: string
    readonly name: string
    readonly licenses?: readonly object[]
  }[]
  readonly dependencies: readonly { readonly dependsOn: readonly string[] }[]
}

interface WireSpdx {
  readonly SPDXID: string
  readonly packages: readonly {
    readonly SPDXID: string
    readonly name: string
    readonly versionInfo?: string
    readonly licenseDeclared: string
    readonly externalRefs?: readonly { readonly referenceLocator: string }[]
  }[]
  readonly relationships: readonly {
    readonly spdxElementId: string
    readonly relationshipType: string
    readonly relatedSpdxElement: string
  }[]
  readonly hasExtractedLicensingInfos?: readonly { readonly licenseId: string; readonly extractedText: string }[]
}

describe('SPDX', () => {
  const documents = IMAGES.map((image) => JSON.parse(JSON.stringify(writeSpdx(SUBJECT, inventory(image)))) as WireSpdx)

  test('documents have what the specification requires of each part', () => {
    for (const document of documents) {
      expect(document).toMatchObject({
        spdxVersion: 'SPDX-2.3',
        dataLicense: 'CC0-1.0',
        SPDXID: 'SPDXRef-DOCUMENT',
        name: SUBJECT.repository,
        documentNamespace: expect.stringMatching(/^https:\/\/[^#\s]+$/),
        creationInfo: { created: '2026-11-21T03:00:00Z', creators: ['Tool: ecru-1.2.3'] },
      })
      const ids = [document.SPDXID, ...document.packages.map((one) => one.SPDXID)]
      for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/)
      expect(new Set(ids).size).toBe(ids.length)
      for (const one of document.packages)
        expect(one).toMatchObject({
          name: expect.stringMatching(/./),
          downloadLocation: 'NOASSERTION',
          filesAnalyzed: false,
        })
      for (const { spdxElementId, relatedSpdxElement } of document.relationships)
        expect([ids.includes(spdxElementId), ids.includes(relatedSpdxElement)]).toEqual([true, true])
      const described = document.relationships.map((one) => one.relatedSpdxElement)
      expect(described.toSorted()).toEqual(ids.slice(1).toSorted())
    }
  })

  test('licences that the list does not have are quoted, and referred to', () => {
    const [document] = documents
    expect(document?.packages[2]?.licenseDeclared).toBe('MIT AND GPL-2.0-or-later AND LicenseRef-1')
    expect(document?.hasExtractedLicensingInfos).toMatchObject([
      { licenseId: 'LicenseRef-1', extractedText: 'the licence of "Foo" & Bar (see file)' },
    ])
    expect(document?.packages[3]?.licenseDeclared).toBe('NOASSERTION')
  })

  test('the image is a package with its digest and its package URL', () => {
    expect(documents[0]?.packages[0]).toMatchObject({
      versionInfo: SUBJECT.digest,
      checksums: [{ algorithm: 'SHA256', checksumValue: 'ab'.repeat(32) }],
      externalRefs: [{ referenceType: 'purl', referenceLocator: imagePurl(SUBJECT) }],
    })
  })
})

test('the package URL of an image has its name, digest, platform and place', () => {
  expect(imagePurl(SUBJECT)).toBe(
    `pkg:oci/app@sha256:${'ab'.repeat(32)}?arch=arm64&repository_url=000000000000.dkr.ecr.us-east-1.amazonaws.com%2Fteam%2FApp`,
  )
})

test('packages that are called the same have names apart', () => {
  const [found] = inventory('langs').packages
  if (found === undefined) throw new Error('no package')
  const keys = packageKeys(['1.0', '1.0', '1.0-2', '1.0'].map((version) => ({ ...found, name: '@a/b', version })))
  expect(keys).toEqual(['npm-a-b-1.0', 'npm-a-b-1.0-2', 'npm-a-b-1.0-2-2', 'npm-a-b-1.0-3'])
})

test('content is the same whenever it is written, and another one for another inventory', () => {
  const image = inventory('langs')
  const content = sbomContent('spdx-2.3', SUBJECT, image)
  expect(sbomContent('spdx-2.3', { ...SUBJECT, createdAt: new Date(0) }, image)).toBe(content)
  expect(sbomContent('spdx-2.3', SUBJECT, { ...image, packages: image.packages.slice(1) })).not.toBe(content)
  expect(sbomContent('cyclonedx-1.6', SUBJECT, image)).not.toBe(content)
})
