import type { Invocation } from './invocation.ts'
import { runJob } from './jobs.ts'
import type { RunningApp } from './running-app.ts'
import { EXIT } from './terminal.ts'

/** `ecru signing certificate`: the certificate by which the signatures of a profile are verified, as PEM. */
export async function printSigningCertificate(profileArn: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const job = {
    command: 'signing certificate',
    method: 'POST',
    path: `/_ecru/signing/certificate?${new URLSearchParams({ profile: profileArn })}`,
    runDirectly: (app: RunningApp) => app.signingCertificate(profileArn),
  } as const
  const answer = await runJob(job, invocation)
  const { certificate } = answer as { readonly certificate: string }
  terminal.out(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : certificate)
  return EXIT.ok
}
