import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readConfig } from '../config/config.ts'
import type { Invocation } from './invocation.ts'
import { printReport, runJob } from './jobs.ts'
import type { RunningApp } from './running-app.ts'
import { CommandFailure, EXIT } from './terminal.ts'

/** `ecru audit verify`: whether anything in the audit log was changed, taken out or cut off. Answers 1 when it was. */
export async function verifyAudit(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const job = {
    command: 'audit verify',
    method: 'POST',
    path: '/_ecru/audit/verify',
    runDirectly: (app: RunningApp) => app.verifyAudit(),
  } as const
  const report = await runJob(job, invocation)
  printReport(report, flags.json === true, terminal)
  return (report as { readonly isIntact: boolean }).isIntact ? EXIT.ok : EXIT.failed
}

const POLL_MS = 500
const LINE = /^\{"seq":\d+,"mac":"[\w-]+","record":(\{"eventVersion".*\})\}$/

/** `ecru audit tail`: the newest records of the data directory, and with `--follow` those that come. */
export async function tailAudit(until: AbortSignal, { options, flags, terminal }: Invocation): Promise<number> {
  const { storage } = readConfig(terminal.env, options).config
  const directory = storage.kind === 'directory' ? join(storage.path, 'audit') : undefined
  if (directory === undefined || !existsSync(directory))
    throw new CommandFailure(
      `There is no audit log${directory === undefined ? '' : ` at ${directory}`}: name the data directory with --data-dir, or ask a server by \`aws cloudtrail lookup-events\`.`,
    )
  const count = Number(flags.lines ?? 10)
  if (!Number.isSafeInteger(count) || count < 0) throw new CommandFailure('--lines must be a whole number.')
  const print = (record: string) => terminal.out(flags.json === true ? `${record}\n` : `${sentenceOf(record)}\n`)
  let seen = await readFrom(directory, { file: '', bytes: 0 })
  for (const record of seen.records.slice(seen.records.length - Math.min(count, seen.records.length))) print(record)
  while (flags.follow === true && !until.aborted) {
    await Bun.sleep(POLL_MS)
    seen = await readFrom(directory, seen.position)
    for (const record of seen.records) print(record)
  }
  return EXIT.ok
}

interface Position {
  readonly file: string
  readonly bytes: number
}

/** The records behind a position; at first those of the newest file alone, and of the one before when that has only begun. */
async function readFrom(
  directory: string,
  from: Position,
): Promise<{ readonly records: readonly string[]; readonly position: Position }> {
  const names = (await readdir(directory)).filter((name) => /^audit-\d+\.jsonl$/.test(name)).sort()
  const wanted = from.file === '' ? names.slice(-2) : names.filter((name) => name >= from.file)
  const records: string[] = []
  let position = from
  for (const file of wanted) {
    const bytes = await readFile(join(directory, file))
    const start = file === from.file ? from.bytes : 0
    const end = bytes.lastIndexOf(0x0a) + 1
    for (const line of bytes.subarray(start, Math.max(start, end)).toString().split('\n')) {
      const record = LINE.exec(line)?.[1]
      if (record !== undefined) records.push(record)
    }
    position = { file, bytes: Math.max(start, end) }
  }
  return { records, position }
}

interface ShownRecord {
  readonly eventTime: string
  readonly eventName: string
  readonly eventSource: string
  readonly errorCode?: string
  readonly sourceIPAddress: string
  readonly userIdentity: { readonly arn?: string; readonly type?: string; readonly invokedBy?: string }
  readonly resources?: readonly { readonly ARN: string }[]
}

/** One line for people: when, who, from where, what, about what, and why not. */
function sentenceOf(record: string): string {
  const { eventTime, eventName, eventSource, errorCode, sourceIPAddress, userIdentity, resources } = JSON.parse(
    record,
  ) as ShownRecord
  const who = userIdentity.arn ?? userIdentity.invokedBy ?? userIdentity.type ?? 'unknown'
  const what = `${eventSource.split('.', 1)[0]}:${eventName}`
  const about = (resources ?? []).map(({ ARN }) => ARN).join(' ')
  return [eventTime, who, sourceIPAddress, what, about, errorCode ?? 'ok'].filter((word) => word !== '').join('  ')
}
