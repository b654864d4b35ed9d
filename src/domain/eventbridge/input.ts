import { eventInputInvalid } from './errors.ts'
import { isJsonObject, type Json, memberOf, parseJson } from './json.ts'

/** What a target is sent: the event, a part of it, a text of its own, or a text made of parts. */
export type TargetInput =
  | { readonly kind: 'event' }
  | { readonly kind: 'constant'; readonly json: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'template'; readonly paths: Readonly<Record<string, string>>; readonly template: string }

/** What a template knows beside the event. */
export interface TemplateFacts {
  readonly ruleName: string
  readonly ruleArn: string
  readonly ingestedAt: Date
}

type Steps = readonly (string | number)[]

const PLACEHOLDER = /<([A-Za-z0-9_.-]+)>/g
const RESERVED = new Set([
  'aws.events.rule-arn',
  'aws.events.rule-name',
  'aws.events.event.ingestion-time',
  'aws.events.event',
  'aws.events.event.json',
])

/** Throws `event-input-invalid` for one that would not work with any event. */
export function checkTargetInput(targetId: string, input: TargetInput): void {
  if (input.kind === 'constant' && parseJson(input.json) === undefined)
    throw eventInputInvalid(`JSON syntax error in input for target ${targetId}.`)
  if (input.kind === 'path') checkPath(targetId, input.path)
  if (input.kind !== 'template') return
  const { paths, template } = input
  for (const [name, path] of Object.entries(paths)) {
    if (name.toLowerCase().startsWith('aws'))
      throw eventInputInvalid(`InputPathsMap of target ${targetId} must not begin a name with AWS: ${name}.`)
    checkPath(targetId, path)
  }
  for (const [, name = ''] of template.matchAll(PLACEHOLDER))
    if (!Object.hasOwn(paths, name) && !RESERVED.has(name))
      throw eventInputInvalid(`InputTemplate for target ${targetId} contains invalid placeholder ${name}.`)
  if (printTemplate(template, () => 'a') === undefined)
    throw eventInputInvalid(`InputTemplate for target ${targetId} does not make valid JSON.`)
}

/** The text that the target gets for an event. */
export function targetText(input: TargetInput, event: Json, facts: TemplateFacts): string {
  switch (input.kind) {
    case 'event':
      return JSON.stringify(event)
    case 'constant':
      return input.json
    case 'path':
      return JSON.stringify(valueAt(event, stepsOf(input.path) ?? []) ?? null)
    case 'template': {
      const value = (name: string) => reserved(name, event, facts) ?? placed(event, input.paths[name])
      return printTemplate(input.template, value) ?? JSON.stringify(event)
    }
  }
}

function reserved(name: string, event: Json, { ruleName, ruleArn, ingestedAt }: TemplateFacts): Json | undefined {
  switch (name) {
    case 'aws.events.rule-arn':
      return ruleArn
    case 'aws.events.rule-name':
      return ruleName
    case 'aws.events.event.ingestion-time':
      return ingestedAt.toISOString()
    case 'aws.events.event': {
      // As EventBridge has it: the event without its detail.
      const { detail: _detail, ...rest } = isJsonObject(event) ? event : {}
      return rest
    }
    case 'aws.events.event.json':
      return event
    default:
      return undefined
  }
}

function placed(event: Json, path: string | undefined): Json {
  return path === undefined ? null : (valueAt(event, stepsOf(path) ?? []) ?? null)
}

/**
 * Fills a template in. A placeholder inside quotation marks becomes text (nothing, for what is not there; an object as JSON),
 * one outside of them JSON. A template that is JSON must stay JSON: else `undefined`. Lines of texts are sent as they are.
 */
function printTemplate(template: string, value: (name: string) => Json): string | undefined {
  let printed = ''
  let isQuoted = false
  for (const [piece] of template.matchAll(/<[A-Za-z0-9_.-]+>|\\.|./gsu)) {
    if (piece === '"') isQuoted = !isQuoted
    const isPlaceholder = piece.length > 1 && piece.startsWith('<')
    if (!isPlaceholder) printed += piece
    else {
      const filled = value(piece.slice(1, -1))
      printed += isQuoted ? escaped(filled) : JSON.stringify(filled)
    }
  }
  const isJson = /^\s*[[{]/.test(template)
  if (isJson && parseJson(printed) === undefined) return undefined
  return printed
}

/** As it stands inside of quotation marks. */
function escaped(value: Json): string {
  if (value === null) return ''
  return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value)).slice(1, -1)
}

function checkPath(targetId: string, path: string): void {
  if (stepsOf(path) === undefined)
    throw eventInputInvalid(`Invalid InputPath for target ${targetId}. Use $, .name, ['name'] and [index]: ${path}`)
}

/** `$.detail.items[0]['a b']` → its steps; `undefined` for what is no such path. */
function stepsOf(path: string): Steps | undefined {
  if (!path.startsWith('$')) return undefined
  const steps: (string | number)[] = []
  let rest = path.slice(1)
  while (rest !== '') {
    const step = /^(?:\.([A-Za-z0-9_-]+)|\[(\d{1,6})\]|\['([^']+)'\]|\["([^"]+)"\])/.exec(rest)
    if (step === null) return undefined
    const [text, name, index, quoted, doubly] = step
    steps.push(index === undefined ? (name ?? quoted ?? doubly ?? '') : Number(index))
    rest = rest.slice(text.length)
  }
  return steps
}

function valueAt(event: Json, steps: Steps): Json | undefined {
  let value: Json | undefined = event
  for (const step of steps) {
    if (typeof step === 'number') value = Array.isArray(value) ? (value as readonly Json[])[step] : undefined
    else value = isJsonObject(value) ? memberOf(value, step) : undefined
  }
  return value
}
