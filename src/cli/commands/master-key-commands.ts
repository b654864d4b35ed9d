import { type CommandLine, WHERE } from './command-line.ts'

const GENERATE_EXAMPLES = '  ecru master-key generate > /etc/ecru/master.key'
const ROTATE_EXAMPLES = `  ecru master-key rotate --data-dir /var/lib/ecru
  ecru master-key rotate --master-key-file /etc/ecru/master.key`

/** `ecru master-key …`. */
export function describeMasterKey({ command, group }: CommandLine): void {
  const masterKey = group(
    'master-key',
    'Make or change the key that seals all other secrets.',
    `${GENERATE_EXAMPLES}\n${ROTATE_EXAMPLES}`,
  )
  command(
    { name: 'generate', summary: 'Print a fresh master key.', examples: GENERATE_EXAMPLES, variables: [] },
    async ({ terminal }) => {
      const { generateMasterKey } = await import('../master-key.ts')
      return generateMasterKey(terminal)
    },
    masterKey,
  )
  command(
    {
      name: 'rotate',
      summary: 'Make a new master key in its file, and seal every secret with it; no server may run.',
      examples: ROTATE_EXAMPLES,
      variables: [...WHERE, 'ECRU_MASTER_KEY_FILE'],
    },
    async (invocation) => {
      const { rotateMasterKey } = await import('../master-key.ts')
      return await rotateMasterKey(invocation)
    },
    masterKey,
  )
}
