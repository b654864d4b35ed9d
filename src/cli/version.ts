import { VERSION } from '../config/version.ts'
import { EXIT, type Terminal } from './terminal.ts'

/** `ecru version`: the version and what it runs on. */
export function printVersion(terminal: Terminal): number {
  terminal.out(`ecru ${VERSION} (bun ${Bun.version}, ${process.platform} ${process.arch})\n`)
  return EXIT.ok
}
