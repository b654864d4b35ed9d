import { invalidParameter, type RegistryError } from '../errors.ts'
import { isObject, type JsonObject } from '../json-values.ts'
import { parseStrictJson } from '../strict-json.ts'
import { checkTogether } from './check-together.ts'
import type { AgeCountType, LifecycleAction, LifecycleLimit, LifecycleRule, TagSelection } from './rule.ts'
import { checkType, jsonMembers, jsonText, jsonTextList, oneOf, PolicyMistake, positiveInteger } from './schema.ts'

const TEXT_LENGTH_MAX = 30_720
const RULES_MAX = 50
const WILDCARDS_MAX = 4
/** Nothing leaves the archive sooner. */
const ARCHIVE_DAYS_MIN = 90

/**
 * Reads the text of a lifecycle policy. Throws `invalid-parameter` at `LifecyclePolicyText` with the first thing that is
 * wrong, whatever the text: a policy that is not understood to the last member deletes nothing.
 */
export function parseLifecyclePolicy(text: string): readonly LifecycleRule[] {
  try {
    return parsePolicy(text)
  } catch (thrown) {
    if (thrown instanceof PolicyMistake) throw lifecyclePolicyInvalid(thrown.message)
    throw thrown
  }
}

function lifecyclePolicyInvalid(detail: string): RegistryError {
  return invalidParameter('LifecyclePolicyText', `Lifecycle policy validation failure: ${detail}`)
}

function parsePolicy(text: string): readonly LifecycleRule[] {
  if (text.length > TEXT_LENGTH_MAX)
    throw new PolicyMistake(`string is too long (length: ${text.length}, maximum allowed: ${TEXT_LENGTH_MAX})`)
  const policy = jsonMembers(parseDocument(text), { required: ['rules'] })
  const rules = checkType(policy.rules, 'array').map(parseRule)
  if (rules.length > RULES_MAX)
    throw new PolicyMistake(
      `array is too long: must have at most ${RULES_MAX} elements but instance has ${rules.length} elements`,
    )
  checkTogether(rules)
  return rules
}

function parseDocument(text: string): JsonObject {
  try {
    const document = parseStrictJson(text)
    if (isObject(document)) return document
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
  }
  throw new PolicyMistake('Could not map policyString into LifecyclePolicy.')
}

function parseRule(value: unknown): LifecycleRule {
  const rule = jsonMembers(value, {
    required: ['action', 'rulePriority', 'selection'],
    optional: ['description'],
  })
  const priority = positiveInteger(rule.rulePriority)
  const description = rule.description === undefined ? undefined : jsonText(rule.description)
  const selection = jsonMembers(rule.selection, {
    required: ['countNumber', 'countType', 'tagStatus'],
    optional: ['countUnit', 'storageClass', 'tagPatternList', 'tagPrefixList'],
  })
  const tags = parseTags(selection)
  const writtenClass =
    selection.storageClass === undefined ? undefined : oneOf(selection.storageClass, ['standard', 'archive'])
  const limit = parseLimit(selection)
  const action = parseAction(rule.action)
  const checked = { priority, description, storageClass: writtenClass ?? 'standard', tags, limit, action } as const
  checkCombination(checked)
  return checked
}

function parseTags({ tagStatus, tagPatternList, tagPrefixList }: JsonObject): TagSelection {
  const status = oneOf(tagStatus, ['any', 'tagged', 'untagged'])
  if (status !== 'tagged') {
    if (tagPatternList !== undefined || tagPrefixList !== undefined)
      throw new PolicyMistake(
        `tagPrefixList and tagPatternList must not be specified when tagStatus=${status.toUpperCase()}.`,
      )
    return { tagStatus: status }
  }
  if (tagPatternList !== undefined && tagPrefixList !== undefined)
    throw new PolicyMistake('Only one of tagPrefixList and tagPatternList can be specified in a rule.')
  const entries = jsonTextList(tagPatternList ?? tagPrefixList ?? [])
  if (entries.length === 0)
    throw new PolicyMistake('Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.')
  if (tagPatternList === undefined) return { tagStatus: status, list: 'prefix', entries }
  for (const entry of entries)
    if (entry.split('*').length - 1 > WILDCARDS_MAX)
      throw new PolicyMistake(
        `A pattern in tagPatternList can contain at most ${WILDCARDS_MAX} wildcards (*): "${entry}".`,
      )
  return { tagStatus: status, list: 'pattern', entries }
}

/** ECR's schema has a branch for each kind of count and of action, and says no more than this; our own line follows. */
const NO_SCHEMA = 'instance failed to match exactly one schema (matched 0 out of 2)'

const AGE_COUNT_TYPES: readonly string[] = [
  'sinceImagePushed',
  'sinceImagePulled',
  'sinceImageTransitioned',
] satisfies readonly AgeCountType[]

function parseLimit({ countType, countUnit, countNumber }: JsonObject): LifecycleLimit {
  const type = jsonText(countType)
  if (type !== 'imageCountMoreThan' && !AGE_COUNT_TYPES.includes(type)) throw new PolicyMistake(NO_SCHEMA)
  if (countUnit === null) throw new PolicyMistake(NO_SCHEMA)
  const unit = countUnit === undefined ? undefined : oneOf(countUnit, ['days'])
  const number = positiveInteger(countNumber)
  if (type === 'imageCountMoreThan') {
    if (unit !== undefined)
      throw new PolicyMistake(`${NO_SCHEMA}\ncountUnit must not be specified when countType=${type}.`)
    return { countType: type, keptImages: number }
  }
  if (unit === undefined) throw new PolicyMistake(`${NO_SCHEMA}\nMust specify countUnit when countType=${type}.`)
  return { countType: type as AgeCountType, ageDays: number }
}

function parseAction(value: unknown): LifecycleAction {
  const { type, targetStorageClass } = jsonMembers(value, { required: ['type'], optional: ['targetStorageClass'] })
  const action = oneOf(type, ['expire', 'transition'])
  if (action === 'transition') {
    if (targetStorageClass === undefined)
      throw new PolicyMistake(`${NO_SCHEMA}\nMust specify targetStorageClass when action type=TRANSITION.`)
    oneOf(targetStorageClass, ['archive'])
  } else if (targetStorageClass !== undefined)
    throw new PolicyMistake(`${NO_SCHEMA}\ntargetStorageClass must not be specified when action type=EXPIRE.`)
  return action
}

/** Which counts and actions go with which storage class. */
function checkCombination({ storageClass, limit, action }: LifecycleRule): void {
  const { countType } = limit
  if (countType === 'sinceImageTransitioned') {
    if (storageClass !== 'archive')
      throw new PolicyMistake(`Must specify storageClass=ARCHIVE when countType=${countType}.`)
    if (action !== 'expire') throw new PolicyMistake(`Only action type=EXPIRE is allowed when countType=${countType}.`)
    if (limit.ageDays < ARCHIVE_DAYS_MIN)
      throw new PolicyMistake(
        `Lifecycle policies that delete images archived for less than ${ARCHIVE_DAYS_MIN} days are not possible (minimum: ${ARCHIVE_DAYS_MIN}, found: ${limit.ageDays}).`,
      )
    return
  }
  if (storageClass === 'archive')
    throw new PolicyMistake(`Only countType=sinceImageTransitioned is allowed when storageClass=ARCHIVE.`)
  if (countType === 'sinceImagePulled' && action !== 'transition')
    throw new PolicyMistake(`Only action type=TRANSITION is allowed when countType=${countType}.`)
}
