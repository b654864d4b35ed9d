import { isObject } from '../json-values.ts'
import { parseStrictJson } from '../strict-json.ts'
import { parseConditions } from './conditions.ts'
import { isImageKey, isResourceTagKey } from './facts.ts'
import { patternMatcher } from './pattern.ts'
import type { Policy, ResourceEntry, ResourcePattern, Statement } from './policy.ts'
import { asTexts, PolicyMistake } from './policy-mistake.ts'
import { type PrincipalKind, type PrincipalPattern, parsePrincipals } from './principals.ts'
import { parseTemplate, variablesOf } from './template.ts'

/** What tells the kinds of policies apart. */
export interface Grammar {
  /** `undefined` among them: a policy may leave its version out. */
  readonly versions: readonly (string | undefined)[]
  /** Whom statements may name; none: they name nobody. */
  readonly principals: readonly PrincipalKind[]
  /** Reads the entries of `Action` or `NotAction`. */
  actions(entries: readonly string[], isInverted: boolean): (action: string) => boolean
  /** Checks an entry of `Resource` or `NotResource`; absent: statements name no resource. */
  readonly checkResource?: ((text: string) => void) | undefined
  /** Whether no two statements may have the same Sid, and Sids are letters and digits. */
  readonly hasStrictSids?: boolean | undefined
}

/** The version that has policy variables. */
export const NEWEST_VERSION = '2012-10-17'
export const OLD_VERSION = '2008-10-17'

const MEMBERS: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement'])
const STATEMENT_MEMBERS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
])

/** Reads a policy. Throws `PolicyMistake`, with what IAM would say of it. */
export function parsePolicy(text: string, grammar: Grammar): Policy {
  return policyOf(parseDocument(text), grammar)
}

function parseDocument(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (cause) {
    throw new PolicyMistake('This policy contains invalid Json', 'document', { cause })
  }
}

function policyOf(document: unknown, grammar: Grammar): Policy {
  if (!isObject(document)) throw new PolicyMistake('Syntax errors in policy.')
  refuseOthers(document, MEMBERS)
  const { Version: version, Id: id, Statement: given } = document
  const known = grammar.versions.find((one) => one === version)
  if (known === undefined && !(version === undefined && grammar.versions.includes(undefined)))
    throw new PolicyMistake('The policy must contain a valid version string.')
  if (id !== undefined && typeof id !== 'string') throw new PolicyMistake('Syntax errors in policy.')
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new PolicyMistake('Syntax errors in policy.')
  const statements = list.map((statement, index) => statementOf(statement, index, grammar, version === NEWEST_VERSION))
  if (grammar.hasStrictSids) checkSids(statements)
  const contextKeys = [...new Set(statements.flatMap(contextKeysOf))]
  const keys = contextKeys.map((key) => key.toLowerCase())
  return {
    statements,
    contextKeys,
    readsResourceTags: keys.some(isResourceTagKey),
    readsImages: keys.some(isImageKey),
  }
}

function contextKeysOf({ conditions, resources }: Statement): readonly string[] {
  const ofResources = (resources?.entries ?? []).flatMap((entry) =>
    'template' in entry ? variablesOf(entry.template) : [],
  )
  return [...conditions.flatMap(({ names }) => names), ...ofResources]
}

function statementOf(given: unknown, index: number, grammar: Grammar, hasVariables: boolean): Statement {
  if (!isObject(given)) throw new PolicyMistake('Syntax errors in policy.')
  refuseOthers(given, STATEMENT_MEMBERS)
  const { Sid: sid, Effect: effect } = given
  if (sid !== undefined && typeof sid !== 'string') throw new PolicyMistake('Syntax errors in policy.')
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyMistake('Syntax errors in policy.')
  const principals = principalsOf(given, effect, grammar)
  const action = eitherOf(given, 'Action', 'NotAction', 'Policy statement must contain actions.')
  return {
    sid,
    index,
    effect,
    principals,
    isAbout: grammar.actions(asTexts(action.value), action.isInverted),
    resources: resourcesOf(given, grammar, hasVariables),
    conditions: parseConditions(given.Condition, hasVariables),
    source: given,
  }
}

/** `NotPrincipal` with `Allow` would let everyone in but a few: IAM itself has given that up. */
function principalsOf(
  statement: Readonly<Record<string, unknown>>,
  effect: 'Allow' | 'Deny',
  { principals }: Grammar,
): PrincipalPattern | undefined {
  if (principals.length === 0) {
    if (statement.Principal !== undefined || statement.NotPrincipal !== undefined)
      throw new PolicyMistake('Policy document should not specify a principal.')
    return undefined
  }
  const { isInverted, value } = eitherOf(statement, 'Principal', 'NotPrincipal', 'Missing required field Principal')
  if (isInverted && effect === 'Allow') throw new PolicyMistake('Allow with NotPrincipal is not allowed.')
  return parsePrincipals(value, isInverted, principals)
}

function resourcesOf(
  statement: Readonly<Record<string, unknown>>,
  { checkResource }: Grammar,
  hasVariables: boolean,
): ResourcePattern | undefined {
  if (checkResource === undefined) {
    if (statement.Resource !== undefined || statement.NotResource !== undefined)
      throw new PolicyMistake('Has prohibited field Resource')
    return undefined
  }
  const missing = 'Policy statement must contain resources.'
  const { isInverted, value } = eitherOf(statement, 'Resource', 'NotResource', missing)
  return {
    isInverted,
    entries: asTexts(value).map((text): ResourceEntry => {
      checkResource(hasVariables ? withoutVariables(text) : text)
      const template = parseTemplate(completed(text, hasVariables), hasVariables)
      return template.pieces === undefined ? { matches: patternMatcher(template.text) } : { template }
    }),
  }
}

/** A text whose variables can be anything. */
function withoutVariables(text: string): string {
  return text.replace(/\$\{[^}]*\}/g, '*')
}

const ARN_PARTS = 6

/** IAM completes an ARN of fewer than six parts with wildcards. */
function completed(text: string, hasVariables: boolean): string {
  if (text === '*') return text
  const missing = ARN_PARTS - (hasVariables ? withoutVariables(text) : text).split(':').length
  // What ends in a `*` reaches over all that is missing.
  return missing > 0 && !text.endsWith('*') ? text + ':*'.repeat(missing) : text
}

function checkSids(statements: readonly Statement[]): void {
  const sids = statements.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]))
  if (!sids.every((sid) => /^[0-9A-Za-z]+$/.test(sid)))
    throw new PolicyMistake(
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
    )
  if (new Set(sids).size < sids.length)
    throw new PolicyMistake('Statement IDs (SID) in a single policy must be unique.')
}

function eitherOf(
  statement: Readonly<Record<string, unknown>>,
  positive: string,
  negative: string,
  whenMissing: string,
) {
  const isInverted = statement[negative] !== undefined
  if (!isInverted && statement[positive] === undefined) throw new PolicyMistake(whenMissing)
  if (isInverted && statement[positive] !== undefined) throw new PolicyMistake('Syntax errors in policy.')
  return { isInverted, value: statement[isInverted ? negative : positive] }
}

function refuseOthers(document: Readonly<Record<string, unknown>>, members: ReadonlySet<string>): void {
  if (Object.keys(document).some((name) => !members.has(name))) throw new PolicyMistake('Syntax errors in policy.')
}
