import { invalidParameter, invalidParameters } from '../../domain/errors.ts'
import { parseRegion, parseRegistryId, type Registry } from '../../domain/names.ts'
import type { EventLog, ReplayStart } from './event-log.ts'

/** What an operator can ask about events, by name. */
export const EVENT_COMMANDS = ['dead-letters', 'forget', 'read', 'replay', 'secret', 'status'] as const
export type EventCommand = (typeof EVENT_COMMANDS)[number]

/** What a command is given; what it does not know is refused. */
export type EventParameters = Readonly<Record<string, string>>

const PLACE = ['account', 'region']
const KNOWN: Readonly<Record<EventCommand, readonly string[]>> = {
  'dead-letters': ['after', 'limit'],
  forget: ['upTo'],
  read: ['after', 'limit'],
  replay: [...PLACE, 'rule', 'target', 'from'],
  secret: PLACE,
  status: [],
}

const PAGE = 100
const PAGE_MAX = 1000

/** What operators ask and set about events. Who may ask is decided outside. */
export class EventCommands {
  readonly #log: EventLog
  readonly #secretOf: (registry: Registry) => Promise<string>
  readonly #defaultRegistry: Registry

  /** `secretOf` knows by what the webhooks of a registry are signed. */
  constructor(log: EventLog, secretOf: (registry: Registry) => Promise<string>, defaultRegistry: Registry) {
    this.#log = log
    this.#secretOf = secretOf
    this.#defaultRegistry = defaultRegistry
  }

  /** Throws `invalid-parameter`, `event-rule-not-found`. */
  async run(command: EventCommand, parameters: EventParameters): Promise<object> {
    const unknown = Object.keys(parameters).find((name) => !KNOWN[command].includes(name))
    if (unknown !== undefined)
      throw invalidParameters(`events ${command} knows no parameter '${unknown.slice(0, 64)}'.`)
    const limit = Math.min(PAGE_MAX, numberIn(parameters, 'limit') ?? PAGE)
    switch (command) {
      case 'read':
        return await this.#log.read(numberIn(parameters, 'after'), limit)
      case 'status':
        return { targets: await this.#log.status() }
      case 'dead-letters':
        return { deadLetters: await this.#log.deadLetters(numberIn(parameters, 'after') ?? 0, limit) }
      case 'forget':
        return { forgotten: await this.#log.forgetDeadLetters(numberIn(parameters, 'upTo') ?? 0) }
      case 'replay': {
        const { rule = '', target, from = '' } = parameters
        return await this.#log.replay(this.#registryOf(parameters), rule, startOf(from), target)
      }
      case 'secret':
        return { secret: await this.#secretOf(this.#registryOf(parameters)) }
    }
  }

  #registryOf({ account, region }: EventParameters): Registry {
    const { registryId, region: home } = this.#defaultRegistry
    return {
      registryId: account === undefined ? registryId : parseRegistryId(account),
      region: region === undefined ? home : parseRegion(region),
    }
  }
}

function numberIn(parameters: EventParameters, name: string): number | undefined {
  const text = parameters[name]
  if (text === undefined) return undefined
  if (!/^[0-9]{1,15}$/.test(text)) throw invalidParameter(name, 'must be a whole number')
  return Number(text)
}

/** A position, or a time as ISO 8601 has it. */
function startOf(from: string): ReplayStart {
  if (/^[0-9]{1,15}$/.test(from)) return { position: Number(from) }
  const since = new Date(from)
  if (!/^[0-9]{4}-/.test(from) || Number.isNaN(since.getTime()))
    throw invalidParameter('from', 'must be a position or a time, such as 1200 or 2026-03-02T08:00:00Z')
  return { since }
}
