import type { ServiceModel } from '../../../src/protocols/aws/model.ts'
import type { OperationTable } from '../../../src/protocols/aws/operation-table.ts'
import { awsCli, type Printed } from './aws-cli.ts'
import type { Stage } from './stage.ts'

/** So many processes of the CLI at once. */
const AT_ONCE = 4

/** A service as Ecru serves it, and which of its operations the CLI asks for page by page. */
export interface WalkedService {
  readonly model: ServiceModel
  readonly operations: OperationTable
  readonly paginated: readonly string[]
}

/**
 * The AWS CLI on one service, by the names of its operations. It keeps account of what was asked, so that a test can
 * show that nothing is left out. Calls that are made together run a few at a time.
 */
export interface EveryOperation {
  readonly handled: readonly string[]
  readonly refused: readonly string[]
  /** The handled operations that the CLI walks by itself. */
  readonly paginated: readonly string[]
  /** The operations that were asked for with `json`, `pages` or `failure`. */
  readonly called: ReadonlySet<string>
  /** The operations that were asked for page by page. */
  readonly paged: ReadonlySet<string>
  json<Response = unknown>(operation: string, ...args: readonly string[]): Promise<Printed<Response>>
  failure(operation: string, ...args: readonly string[]): Promise<string>
  /** All entries by pages of one. Throws when the first alone, and the rest by its token, are not the same. */
  pages(operation: string, member: string, ...args: readonly string[]): Promise<readonly unknown[]>
  /** A command of the CLI that is no operation: a helper or a waiter. Answers what it prints. */
  text(...args: readonly string[]): Promise<string>
}

/** For the service that the CLI calls `name`. */
export function everyOperation(stage: Stage, name: string, service: WalkedService): EveryOperation {
  const names = Object.keys(service.model.operations)
  const handled = names.filter((operation) => service.operations.get(operation) !== 'unsupported')
  const called = new Set<string>()
  const paged = new Set<string>()
  const inTurn = turns(AT_ONCE)

  const command = (operation: string, args: readonly string[]) => {
    called.add(operation)
    if (args.includes('--page-size')) paged.add(operation)
    return [name, subcommand(operation), ...args]
  }
  const json = <Response>(operation: string, ...args: readonly string[]): Promise<Printed<Response>> =>
    inTurn(() => awsCli(stage).json<Response>(...command(operation, args)))

  return {
    handled,
    refused: names.filter((operation) => !handled.includes(operation)),
    paginated: service.paginated.filter((operation) => handled.includes(operation)),
    called,
    paged,
    json,
    failure: (operation, ...args) => inTurn(() => awsCli(stage).failure(...command(operation, args))),
    pages: async (operation, member, ...args) => {
      const page = async (...more: readonly string[]) => {
        const answer = await json<Record<string, unknown>>(operation, ...args, '--page-size', '1', ...more)
        return {
          entries: (answer[member] ?? []) as readonly unknown[],
          token: answer.NextToken as string | undefined,
        }
      }
      const [all, first] = await Promise.all([page(), page('--max-items', '1')])
      const rest = first.token === undefined ? [] : (await page('--starting-token', first.token)).entries
      if (!Bun.deepEquals([...first.entries, ...rest], [...all.entries]))
        throw new Error(`${operation} in two parts: ${JSON.stringify([first, rest])}, at once: ${JSON.stringify(all)}`)
      return all.entries
    },
    text: (...args) => inTurn(() => awsCli(stage).text(name, ...args)),
  }
}

/** The CLI's name of an operation. */
export function subcommand(operation: string): string {
  return operation.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
}

function turns(width: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = width
  return async (task) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free--
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
