import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const SBOM_EXAMPLES = `  ecru sbom team/app:1.4.2 > app.cdx.json
  ecru sbom team/app:1.4.2 --format spdx --platform linux/arm64
  ecru sbom team/app:1.4.2 --attach`

/** `ecru sbom …`. */
export function describeScans({ command, terminal, createApp }: CommandLine): void {
  command(
    {
      name: 'sbom <image>',
      summary: 'Print what is in an image as a software bill of materials.',
      examples: SBOM_EXAMPLES,
      variables: WHERE,
    },
    async (options, flags, [image = '']) => {
      const { printSbom } = await import('../sbom.ts')
      return await printSbom(options, flags, image, terminal, createApp)
    },
  )
    .option('--format <format>', 'cyclonedx (1.6), cyclonedx-1.5 or spdx (2.3).', 'cyclonedx')
    .option('--platform <platform>', 'Which image of an index, such as linux/amd64.')
    .option('--attach', 'Attach it to the image, where clients find it as a referrer, instead of printing it.')
    .option('--json', 'Print what was attached as JSON.')
    .option(...URL_OPTION)
}
