import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommandFailure, type Terminal } from './terminal.ts'

/** How a client is set up: files to be written, then commands to be run, and what a person has to know. */
export interface ClientPlan {
  /** `mode`: who may read it, where that is not everybody. */
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode?: number }[]
  readonly commands: readonly (readonly string[])[]
  readonly notes: readonly string[]
}

/** Prints it as a script for a shell. */
export function printPlan({ files, commands, notes }: ClientPlan, terminal: Terminal): void {
  for (const { path, content, mode } of files) {
    terminal.out(`mkdir -p '${dirname(path)}'\n`)
    // Closed to others before anything is in it.
    if (mode !== undefined) terminal.out(`install -m ${mode.toString(8)} /dev/null '${path}'\n`)
    terminal.out(`cat > '${path}' <<'END'\n${content.trimEnd()}\nEND\n`)
  }
  for (const command of commands) terminal.out(`${command.join(' ')}\n`)
  for (const note of notes) terminal.out(`${note.replaceAll(/^/gm, '# ')}\n`)
}

/** Does it on this machine. Throws `CommandFailure`. */
export function carryOut({ files, commands, notes }: ClientPlan, terminal: Terminal): void {
  for (const { path, content, mode = 0o644 } of files) {
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content, { mode })
      chmodSync(path, mode)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new CommandFailure(`${path} cannot be written: ${reason}. Without --write the command prints what to do.`, {
        cause,
      })
    }
    terminal.out(`wrote ${path}\n`)
  }
  for (const command of commands) {
    const { exitCode, stderr } = Bun.spawnSync([...command])
    if (exitCode !== 0) throw new CommandFailure(`\`${command.join(' ')}\` failed: ${stderr.toString().trim()}`)
    terminal.out(`ran ${command.join(' ')}\n`)
  }
  for (const note of notes) terminal.out(`${note}\n`)
}
