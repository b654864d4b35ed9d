import { parseArgs } from 'node:util'

export interface TortureOptions {
  readonly kills: number
  readonly seed: string
  /** Each kill also loses what was not flushed. */
  readonly losesPower: boolean
  /** Instead of killing: does the process keep its size under the same load? */
  readonly checksMemory: boolean
  /** What is pushed is encrypted on the disk. */
  readonly encrypts: boolean
  /** Leaves the data directory of a failed run for whoever wants to look at it. */
  readonly keeps: boolean
}

export const USAGE = `Usage: npm run torture -- [--kills N] [--seed S] [--power-loss] [--memory-check] [--encrypted] [--keep]

  --kills N       how many times the server is killed (default 50)
  --seed S        repeats the choices of a run that printed this seed; how they interleave stays up to the machine
  --power-loss    each kill also loses what was not flushed to the disk (root only: a file system of its own, dropped dead)
  --memory-check  kills nothing; runs the same load in rounds and checks that the process stops growing
  --encrypted     everything is encrypted at rest (ECRU_ENCRYPTION=on)
  --keep          leaves the data directory when something was wrong`

/** Throws an Error with a sentence for whoever typed the command. */
export function readOptions(args: readonly string[]): TortureOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '50' },
      seed: { type: 'string', default: Math.random().toString(36).slice(2, 10) },
      'power-loss': { type: 'boolean', default: false },
      'memory-check': { type: 'boolean', default: false },
      encrypted: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  if (!/^[1-9][0-9]{0,6}$/.test(values.kills)) throw new Error(`--kills must be a whole number, not '${values.kills}'`)
  return {
    kills: Number(values.kills),
    seed: values.seed,
    losesPower: values['power-loss'],
    checksMemory: values['memory-check'],
    encrypts: values.encrypted,
    keeps: values.keep,
  }
}
