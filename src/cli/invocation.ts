import type { Texts } from '../config/config.ts'
import type { AppFactory } from './running-app.ts'
import type { Terminal } from './terminal.ts'

/** What was given beside the options that have a variable, by commander's names; who reads a flag checks it. */
export type Flags = Readonly<Record<string, unknown>>

/** How a command was called, and what it works with. */
export interface Invocation {
  /** The options that have a variable, by its name. */
  readonly options: Texts
  readonly flags: Flags
  readonly terminal: Terminal
  readonly createApp: AppFactory
}
