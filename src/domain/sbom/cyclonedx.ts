import { type FoundPackage, type Inventory, isOsPackageType, type OperatingSystem } from '../inventory/package.ts'
import { licencesOf } from './licences.ts'
import { imagePurl, packageKeys, type SbomSubject } from './sbom.ts'

/** A property of CycloneDX, for what the format has no member for. */
interface Property {
  readonly name: string
  readonly value: string
}

const IMAGE = 'image'
const SYSTEM = 'operating-system'

/** An inventory as a CycloneDX document (https://cyclonedx.org/docs/1.6/json/), in the order of its packages. */
export function writeCycloneDx(specVersion: '1.5' | '1.6', subject: SbomSubject, inventory: Inventory): object {
  const { os, packages, notes, analyserVersion } = inventory
  const keys = packageKeys(packages)
  const components = packages.map((found, at) => component(found, keys[at] ?? ''))
  const system = os === undefined ? [] : [systemComponent(os)]
  const all = [...system.map(() => SYSTEM), ...keys]
  return {
    $schema: `http://cyclonedx.org/schema/bom-${specVersion}.schema.json`,
    bomFormat: 'CycloneDX',
    specVersion,
    serialNumber: `urn:uuid:${subject.serial}`,
    version: 1,
    metadata: {
      timestamp: subject.createdAt.toISOString(),
      tools: { components: [{ type: 'application', name: 'ecru', version: subject.toolVersion }] },
      component: {
        'bom-ref': IMAGE,
        type: 'container',
        name: subject.repository,
        version: subject.digest,
        purl: imagePurl(subject),
      },
      properties: [
        { name: 'ecru:analyser', value: String(analyserVersion) },
        ...(subject.platform === undefined ? [] : [{ name: 'ecru:platform', value: subject.platform }]),
        ...notes.map(({ path, reason }) => ({ name: 'ecru:unread', value: `${path}: ${reason}` })),
      ],
    },
    components: [...system, ...components],
    dependencies: [{ ref: IMAGE, dependsOn: all }],
    // What nobody looked for is not there either, so no list of an image's parts is called complete.
    compositions: [{ aggregate: notes.length === 0 ? 'unknown' : 'incomplete', assemblies: [IMAGE] }],
  }
}

function component(found: FoundPackage, key: string): object {
  const { group, name } = nameOf(found)
  const licences = licencesOf(found).map((license) => ({ license }))
  return {
    'bom-ref': key,
    type: 'library',
    ...(group === undefined ? {} : { group }),
    name,
    version: found.version,
    ...(licences.length === 0 ? {} : { licenses: licences }),
    purl: found.purl,
    properties: propertiesOf(found),
  }
}

function nameOf({ type, name }: FoundPackage): { readonly group?: string | undefined; readonly name: string } {
  const at = type === 'maven' ? name.indexOf(':') : type === 'npm' || type === 'composer' ? name.indexOf('/') : -1
  return at <= 0 ? { name } : { group: name.slice(0, at), name: name.slice(at + 1) }
}

function propertiesOf(found: FoundPackage): readonly Property[] {
  const { type, layerDigest, filePath, sourceName, sourceVersion, moduleLabel } = found
  const source = isOsPackageType(type) ? [sourceName, sourceVersion].filter((part) => part !== undefined).join(' ') : ''
  return [
    { name: 'ecru:type', value: type },
    { name: 'ecru:layer', value: layerDigest },
    ...(filePath === undefined ? [] : [{ name: 'ecru:path', value: filePath }]),
    ...(source === '' ? [] : [{ name: 'ecru:source', value: source }]),
    ...(moduleLabel === undefined ? [] : [{ name: 'ecru:module', value: moduleLabel }]),
  ]
}

function systemComponent({ id, versionId, prettyName }: OperatingSystem): object {
  return {
    'bom-ref': SYSTEM,
    type: 'operating-system',
    name: id,
    ...(versionId === undefined ? {} : { version: versionId }),
    ...(prettyName === undefined ? {} : { description: prettyName }),
  }
}
