import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const CERTIFICATE_EXAMPLES = `  ecru signing certificate arn:aws:signer:us-east-1:000000000000:/signing-profiles/release > release.pem
  ecru signing certificate arn:aws:signer:us-east-1:000000000000:/signing-profiles/release --json`

/** `ecru signing …`. */
export function describeSigning({ command, group }: CommandLine): void {
  const signing = group('signing', 'Say how the signatures of images are verified.', CERTIFICATE_EXAMPLES)
  command(
    {
      name: 'certificate <profile-arn>',
      summary: 'Print the certificate of a signing profile as PEM, for the trust store of those who verify.',
      examples: CERTIFICATE_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [profileArn = '']) => {
      const { printSigningCertificate } = await import('../signing.ts')
      return await printSigningCertificate(profileArn, invocation)
    },
    signing,
  )
    .option('--json', 'Print subject, fingerprint and end of validity as well, as JSON.')
    .option(...URL_OPTION)
}
