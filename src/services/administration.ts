import { invalidParameters } from '../domain/errors.ts'
import { parseIamArn } from '../domain/iam-entities/iam-arn.ts'
import { parseRegion, parseRegistryId, type Registry } from '../domain/names.ts'
import { ROBOT_ACTIONS, type RobotAction } from '../domain/robot-scope.ts'
import type { Clock } from '../lib/clock.ts'
import type { RobotTokens } from './credentials/robot-tokens.ts'
import type { RootKeys } from './credentials/root-keys.ts'
import type { Sessions } from './credentials/sessions.ts'
import type { TokenKeys } from './credentials/token-keys.ts'
import type { PublicAliases } from './repositories/public-aliases.ts'

/** What an operator can have done, by name. */
export const ADMIN_COMMANDS = [
  'account/create',
  'account/list',
  'public-alias/add',
  'public-alias/list',
  'public-alias/remove',
  'root/rotate',
  'session/revoke',
  'token/create',
  'token/list',
  'token/revoke',
  'token-key/rotate',
] as const
export type AdminCommand = (typeof ADMIN_COMMANDS)[number]

/** What a command is given; what it does not know is refused. */
export type AdminParameters = Readonly<Record<string, string>>

const KNOWN: Readonly<Record<AdminCommand, readonly string[]>> = {
  'account/create': ['account'],
  'account/list': [],
  'public-alias/add': ['account', 'name', 'primary'],
  'public-alias/list': ['account'],
  'public-alias/remove': ['name'],
  'root/rotate': ['account'],
  'session/revoke': ['identity', 'before'],
  'token/create': ['account', 'region', 'user', 'repositories', 'actions', 'seconds'],
  'token/list': [],
  'token/revoke': ['id'],
  'token-key/rotate': ['revoke'],
}

/** What administration acts on. */
export interface AdministrationParts {
  readonly rootKeys: RootKeys
  readonly robotTokens: RobotTokens
  readonly tokenKeys: TokenKeys
  readonly sessions: Sessions
  readonly publicAliases: PublicAliases
  readonly clock: Clock
}

/** Accounts and their roots, tokens, sessions, and the names of public registries. Who may ask is decided outside. */
export class Administration {
  readonly #rootKeys: RootKeys
  readonly #robotTokens: RobotTokens
  readonly #tokenKeys: TokenKeys
  readonly #sessions: Sessions
  readonly #publicAliases: PublicAliases
  readonly #defaultRegistry: Registry
  readonly #clock: Clock

  constructor(parts: AdministrationParts, defaultRegistry: Registry) {
    this.#rootKeys = parts.rootKeys
    this.#robotTokens = parts.robotTokens
    this.#tokenKeys = parts.tokenKeys
    this.#sessions = parts.sessions
    this.#publicAliases = parts.publicAliases
    this.#defaultRegistry = defaultRegistry
    this.#clock = parts.clock
  }

  /** Throws `invalid-parameter`. Secrets are in no answer but that of the command that made them. */
  async run(command: AdminCommand, parameters: AdminParameters): Promise<object> {
    const unknown = Object.keys(parameters).find((name) => !KNOWN[command].includes(name))
    if (unknown !== undefined) throw invalidParameters(`${command} knows no parameter '${unknown.slice(0, 64)}'.`)
    switch (command) {
      case 'account/create':
        return this.#withAccount(parameters, (accountId) => this.#rootKeys.createAccount(accountId))
      case 'account/list':
        return { accounts: await this.#rootKeys.listAccounts() }
      case 'public-alias/add':
        return this.#publicAliases.add(
          this.#accountOf(parameters),
          parameters.name ?? '',
          parameters.primary === 'true',
        )
      case 'public-alias/list':
        return { aliases: await this.#publicAliases.list(this.#accountOf(parameters)) }
      case 'public-alias/remove':
        return this.#publicAliases.remove(parameters.name ?? '')
      case 'root/rotate':
        return this.#withAccount(parameters, (accountId) => this.#rootKeys.rotate(accountId))
      case 'session/revoke':
        return this.#revokeSessions(parameters)
      case 'token/create':
        return this.#createToken(parameters)
      case 'token/list':
        return { tokens: await this.#robotTokens.list() }
      case 'token/revoke':
        return this.#revokeToken(parameters)
      case 'token-key/rotate':
        return this.#tokenKeys.rotate(parameters.revoke === 'true')
    }
  }

  async #withAccount(
    parameters: AdminParameters,
    work: (accountId: Registry['registryId']) => Promise<object>,
  ): Promise<object> {
    const accountId = this.#accountOf(parameters)
    return { accountId, ...(await work(accountId)) }
  }

  #accountOf({ account }: AdminParameters): Registry['registryId'] {
    return account === undefined ? this.#defaultRegistry.registryId : parseRegistryId(account)
  }

  async #createToken(parameters: AdminParameters): Promise<object> {
    const { region, user = '', repositories = '', actions = '', seconds = '' } = parameters
    return this.#robotTokens.create({
      accountId: this.#accountOf(parameters),
      region: region === undefined ? this.#defaultRegistry.region : parseRegion(region),
      userName: user,
      repositories: listOf(repositories),
      actions: listOf(actions).map(actionOf),
      lifetimeMs: /^\d{1,9}$/.test(seconds) ? Number(seconds) * 1000 : 0,
    })
  }

  async #revokeToken({ id = '' }: AdminParameters): Promise<object> {
    if (!(await this.#robotTokens.revoke(id))) throw invalidParameters(`There is no token '${id.slice(0, 64)}'.`)
    return { id, revoked: true }
  }

  async #revokeSessions({ identity = '', before }: AdminParameters): Promise<object> {
    const kind = parseIamArn(identity)?.kind
    if (kind !== 'role' && kind !== 'user' && !/^arn:aws[a-z-]*:iam::\d{12}:root$/.test(identity))
      throw invalidParameters(`'${identity.slice(0, 128)}' is the ARN of no role, user or root.`)
    const moment = before === undefined ? this.#clock.now() : new Date(before)
    if (Number.isNaN(moment.getTime())) throw invalidParameters(`'${before?.slice(0, 64)}' is no moment.`)
    return { identity, before: moment, revokedSessions: await this.#sessions.revoke(identity, moment) }
  }
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function actionOf(text: string): RobotAction {
  const action = ROBOT_ACTIONS.find((one) => one === text)
  if (action !== undefined) return action
  throw invalidParameters(`An action is pull, push or cache, not '${text.slice(0, 64)}'.`)
}
