import type { Invocation } from './invocation.ts'
import { printFacts } from './report.ts'
import { inspect, textOf } from './scans.ts'
import { EXIT } from './terminal.ts'

/** `ecru sbom`: prints what is in an image as a document, or attaches that to the image. */
export async function printSbom(image: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const parameters = { image, format: textOf(flags.format), platform: textOf(flags.platform) }
  const isAttached = flags.attach === true
  const command = isAttached ? 'sbom/attach' : 'sbom/write'
  const answer = await inspect(command, parameters, invocation)
  if (isAttached) terminal.out(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : printFacts(answer))
  else terminal.out(`${JSON.stringify((answer as { readonly document?: object }).document, null, 2)}\n`)
  return EXIT.ok
}
