import { withoutSecrets } from '../../domain/eventbridge/destination.ts'
import { type ServiceModel, shapeOf } from './model.ts'

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'
/** Members that hold secrets though not every model says so. */
const SECRET_MEMBERS =
  /^(?:authorizationToken|sessionToken|secretAccessKey|webIdentityToken|password|plaintext|secretString|secretBinary)$/i
/** Headers and queries of targets of events, by their shapes: there are no others to log in with. */
const SECRET_MAPS = /^(?:HeaderParametersMap|QueryStringParametersMap)$/
const WEBHOOK = /^arn:aws[a-z-]*:ecru:/
/** Content, which lies in its repository, there maybe encrypted; its digest tells which it was. */
const CONTENT_MEMBERS = /^imageManifest$/i
/** As CloudTrail has it: more is left out altogether. */
const CHARS_MAX = 100 * 1024
const TEXT_MAX = 8 * 1024

/**
 * The members of an input or output as an audit record may hold them: secrets hidden, bytes and manifests left out, moments
 * as text.
 * `undefined`: nothing, or too much.
 */
export function auditedMembers(model: ServiceModel, shapeName: string | undefined, value: unknown): object | undefined {
  if (shapeName === undefined || value === null || value === undefined) return undefined
  const members = audited(model, shapeName, value)
  if (typeof members !== 'object' || members === null || Object.keys(members).length === 0) return undefined
  return JSON.stringify(members).length > CHARS_MAX ? undefined : members
}

function audited(model: ServiceModel, shapeName: string, value: unknown): unknown {
  if (value === null || value === undefined) return undefined
  const shape = shapeOf(model, shapeName)
  if (shape.sensitive === true) return HIDDEN
  if (value instanceof Date) return value.toISOString()
  if (shape.type === 'blob' || value instanceof Uint8Array) return undefined
  if (typeof value === 'string' && WEBHOOK.test(value)) return withoutSecrets(value)
  if (typeof value === 'string') return value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) {
    const member = shape.member?.shape
    return member === undefined ? undefined : value.map((item) => audited(model, member, item))
  }
  if (shape.type === 'map') {
    const of = shape.value?.shape
    if (SECRET_MAPS.test(shapeName)) return mapped(value, () => HIDDEN)
    return of === undefined ? undefined : mapped(value, (item) => audited(model, of, item))
  }
  return mapped(value, (item, name) => {
    const of = shape.members?.[name]?.shape
    if (of === undefined || CONTENT_MEMBERS.test(name)) return undefined
    return SECRET_MEMBERS.test(name) ? HIDDEN : audited(model, of, item)
  })
}

/** With members spelled as CloudTrail does: the first letter small. */
function mapped(value: object, change: (item: unknown, name: string) => unknown): object {
  const entries = Object.entries(value).map(([name, item]) => [name, change(item, name)] as const)
  return Object.fromEntries(
    entries
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name.charAt(0).toLowerCase() + name.slice(1), item]),
  )
}
