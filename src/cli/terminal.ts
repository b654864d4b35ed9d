/** Where a command reads its surroundings from and writes to: the process's own, or a test's. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the command answers, for people and pipes. */
  out(text: string): void
  /** What goes wrong, one sentence per line. */
  err(text: string): void
  /** Whether a person watches what is complained; absent: nobody does. */
  readonly isWatched?: boolean
  /** Standard input and output for bytes; absent: those of the process. */
  readonly streams?: ByteStreams
}

/** Where a command reads bytes from and writes them to. */
export interface ByteStreams {
  read(): AsyncIterable<Uint8Array>
  /** Throws when nobody takes them. */
  write(bytes: Uint8Array): Promise<void>
}

/** The command cannot do what it was asked for; the message is a whole sentence for the person who asked. */
export class CommandFailure extends Error {
  override readonly name: string = 'CommandFailure'
}

/** The command line itself cannot be what was meant, whatever there is. */
export class CommandMisuse extends CommandFailure {
  override readonly name = 'CommandMisuse'
}

/** How a command ends. */
export const EXIT = { ok: 0, failed: 1, misused: 2 } as const
