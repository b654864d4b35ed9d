import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

export interface Options {
  /** Names of workloads; undefined for all. */
  readonly only: readonly string[] | undefined
  /** Names of contestants besides Ecru; undefined for all that are installed. */
  readonly peers: readonly string[] | undefined
  readonly quick: boolean
  readonly repetitions: number
  readonly images: number
  /** Where the data of all contestants lies: decides on which disk is measured. */
  readonly directory: string
  /** A Markdown file to put the result in. */
  readonly write: string | undefined
  readonly help: boolean
}

/** The command line as options; throws a sentence about what does not fit. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      quick: { type: 'boolean', default: false },
      repetitions: { type: 'string' },
      million: { type: 'boolean', default: false },
      dir: { type: 'string', default: tmpdir() },
      write: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const repetitions = Number(values.repetitions ?? (values.quick ? 1 : 5))
  if (!Number.isInteger(repetitions) || repetitions < 1) throw new Error('--repetitions takes a number from 1')
  return {
    only: values.only?.split(','),
    peers: values.peers?.split(',').filter((name) => name !== ''),
    quick: values.quick,
    repetitions,
    images: values.million ? 1_000_000 : values.quick ? 10_000 : 100_000,
    directory: values.dir,
    write: values.write,
    help: values.help,
  }
}

/** What --help prints. */
export const usage = (workloads: readonly string[], peers: readonly string[]) => `usage: npm run bench -- [options]

  --only a,b         run only these workloads: ${workloads.join(', ')}
  --peers a,b        compare Ecru with these only: ${peers.join(', ')}; "" for none
  --quick            small sizes and one repetition: to see that all works, not to quote
  --repetitions N    measurements that count, after one warm-up (default 5)
  --million          a metadata store of a million images instead of 100 000
  --dir PATH         directory on the disk to measure (default: the temporary directory)
  --write FILE       also put the result into this Markdown file
`
