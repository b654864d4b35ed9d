import { client } from './client-test.ts'
import { attempt, run } from './run-command.ts'
import type { Stage } from './stage.ts'

/** The AWS command line against a stage. */
export interface AwsCli {
  /** Runs `aws SERVICE OPERATION …` and answers its JSON as the shape that the operation of the SDK answers. */
  json<Response = Record<string, unknown>>(...args: readonly string[]): Promise<Printed<Response> & Paged>
  /** Runs a command and answers what it prints, without the last line break, as `$(…)` does. */
  text(...args: readonly string[]): Promise<string>
  /** Runs a command that must fail and answers its message: `An error occurred (CODE) when calling the OPERATION operation: TEXT`. */
  failure(...args: readonly string[]): Promise<string>
}

/** An answer as the CLI prints it: moments are seconds, as on the wire, and what a test reads is expected to be there. */
export type Printed<T> = T extends Date
  ? number
  : T extends readonly (infer Entry)[]
    ? readonly Printed<Entry>[]
    : T extends object
      ? { readonly [Member in keyof T]-?: Printed<Exclude<T[Member], undefined>> }
      : T

/** Where to go on, when `--max-items` ended the answer early. */
export interface Paged {
  readonly NextToken: string
}

export function awsCli(stage: Stage): AwsCli {
  const command = (args: readonly string[]) => [client('aws'), ...args]
  return {
    json: async (...args) => {
      const printed = await run(command([...args, '--output', 'json']), { env: stage.awsEnvironment })
      return printed.trim() === '' ? {} : JSON.parse(printed)
    },
    text: async (...args) =>
      (await run(command([...args, '--output', 'text']), { env: stage.awsEnvironment })).replace(/\n+$/, ''),
    failure: async (...args) => {
      const { exitCode, stdout, stderr } = await attempt(command(args), { env: stage.awsEnvironment })
      if (exitCode === 0) throw new Error(`aws ${args.join(' ')} succeeded: ${stdout}`)
      return stderr.trim()
    },
  }
}
