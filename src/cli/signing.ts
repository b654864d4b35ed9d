import type { Texts } from '../config/config.ts'
import { isRegistryError } from '../domain/errors.ts'
import { runJob } from './jobs.ts'
import type { AppFactory, RunningApp } from './running-app.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/** `ecru signing certificate`: the certificate by which the signatures of a profile are verified, as PEM. */
export async function printSigningCertificate(
  options: Texts,
  flags: Readonly<Record<string, unknown>>,
  profileArn: string,
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  const job = {
    command: 'signing certificate',
    method: 'POST',
    path: `/_ecru/signing/certificate?${new URLSearchParams({ profile: profileArn })}`,
    runDirectly: async (app: RunningApp) => {
      try {
        return await app.signingCertificate(profileArn)
      } catch (failure) {
        if (isRegistryError(failure)) throw new CommandFailure(failure.message, { cause: failure })
        throw failure
      }
    },
  } as const
  const answer = await runJob(job, options, flags.url, terminal, createApp)
  const { certificate } = answer as { readonly certificate: string }
  terminal.out(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : certificate)
  return EXIT.ok
}
