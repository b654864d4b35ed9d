import { type Command, Option } from 'commander'
import type { Texts } from '../../config/config.ts'
import { type VariableName, variable } from '../../config/env.ts'
import type { Flags, Invocation } from '../invocation.ts'
import type { AppFactory } from '../running-app.ts'
import type { Terminal } from '../terminal.ts'

/** What one command does; answers the exit code. */
export type Run = (invocation: Invocation, operands: readonly string[]) => Promise<number>

/** A command as it is described to `--help`. */
export interface Description {
  /** As commander writes it, such as `preview <repository>`. */
  readonly name: string
  readonly summary: string
  /** Whole lines, indented by two. */
  readonly examples: string
  /** Variables that have an option here. */
  readonly variables: readonly VariableName[]
}

/** What the files of commands describe themselves to. What a command runs is imported when it runs. */
export interface CommandLine {
  command(description: Description, run: Run, group?: Command): Command
  /** A command that only has commands. */
  group(name: string, summary: string, examples: string, parent?: Command): Command
}

/** The variables that say where the registry is. */
export const WHERE: readonly VariableName[] = ['ECRU_DATA_DIR']
export const URL_OPTION = [
  '--url <url>',
  'The server to ask; otherwise the one that holds the data directory.',
] as const

/** Puts commands on a program; `end` takes the exit code of the one that ran. */
export function commandLine(
  program: Command,
  terminal: Terminal,
  createApp: AppFactory,
  end: (code: number) => void,
): CommandLine {
  return {
    command({ name, summary, examples, variables }, run, group = program) {
      const described = group.command(name).description(summary).addHelpText('after', `\nExamples:\n${examples}`)
      const options = variables.map((variableName) => [variableName, optionFor(variableName)] as const)
      for (const [, option] of options) described.addOption(option)
      return described.action(async () => {
        // An option that a command shares with the one above it may have been taken by that.
        const flags: Flags = described.optsWithGlobals()
        const texts = options.map(([variableName, option]) => [variableName, textOf(flags[option.attributeName()])])
        const invocation = { options: Object.fromEntries(texts) as Texts, flags, terminal, createApp }
        end(await run(invocation, described.args))
      })
    },
    group(name, summary, examples, parent = program) {
      return parent
        .command(name)
        .helpCommand(false)
        .description(summary)
        .addHelpText('after', `\nExamples:\n${examples}`)
    },
  }
}

function optionFor(name: VariableName): Option {
  const { flag, doc, default: fallback } = variable(name)
  const isSwitch = fallback === 'false'
  const shownDefault = fallback === undefined || isSwitch ? '' : ` (default: ${fallback})`
  return new Option(flag ?? '', `${doc.replaceAll('`', '')}${shownDefault}`)
}

function textOf(given: unknown): string | undefined {
  return given === undefined ? undefined : String(given)
}
