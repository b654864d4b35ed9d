import type { Texts } from '../config/config.ts'
import { printFacts } from './report.ts'
import type { AppFactory } from './running-app.ts'
import { type Flags, inspect, textOf } from './scans.ts'
import { EXIT, type Terminal } from './terminal.ts'

/** `ecru sbom`: prints what is in an image as a document, or attaches that to the image. */
export async function printSbom(
  options: Texts,
  flags: Flags,
  image: string,
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  const parameters = { image, format: textOf(flags.format), platform: textOf(flags.platform) }
  const isAttached = flags.attach === true
  const command = isAttached ? 'sbom/attach' : 'sbom/write'
  const answer = await inspect(command, parameters, options, flags, terminal, createApp)
  if (isAttached) terminal.out(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : printFacts(answer))
  else terminal.out(`${JSON.stringify((answer as { readonly document?: object }).document, null, 2)}\n`)
  return EXIT.ok
}
