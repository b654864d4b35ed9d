import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { client } from './client-test.ts'
import { attempt, run } from './run-command.ts'

const COMMAND_TIMEOUT_MS = 240_000

/** Input variables by name, their values as JSON has them. */
export type TerraformVariables = Readonly<Record<string, unknown>>

/** Terraform with the AWS provider, in one folder: its state, its lock and whatever else it leaves are there. */
export interface TerraformFolder {
  /** Applies and answers the line that sums it up: `Apply complete! …` or `Destroy complete! …`. */
  apply(variables?: TerraformVariables): Promise<string>
  destroy(variables?: TerraformVariables): Promise<string>
  /** `undefined` when nothing would change; otherwise what would. */
  changes(variables?: TerraformVariables): Promise<string | undefined>
  output<Outputs = Readonly<Record<string, unknown>>>(): Promise<Outputs>
  /** Runs any other command of Terraform, which must succeed, and answers what it prints. */
  run(name: string, ...args: readonly string[]): Promise<string>
}

export interface TerraformFolderOptions {
  /** What the provider and its AWS SDK read beside the configuration. */
  readonly env?: Readonly<Record<string, string>>
  /** What stands before every command, so that it runs in a world of its own. */
  readonly prefix?: readonly string[]
  /** Given with every command that takes variables. */
  readonly variables?: TerraformVariables
}

/**
 * Initialises a folder. The provider comes from the directory that stands for the client `terraform-providers`: a mirror
 * as Terraform lays it out. The folder is the caller's to remove.
 */
export async function initializeTerraform(
  folder: string,
  { env = {}, prefix = [], variables: given = {} }: TerraformFolderOptions = {},
): Promise<TerraformFolder> {
  const configuration = join(folder, 'terraform.tfrc')
  const options = {
    cwd: folder,
    timeoutMs: COMMAND_TIMEOUT_MS,
    env: {
      ...env,
      CHECKPOINT_DISABLE: '1',
      HOME: folder,
      TF_CLI_CONFIG_FILE: configuration,
      TF_IN_AUTOMATION: '1',
    },
  }
  const program = [...prefix, client('terraform'), `-chdir=${folder}`]
  const command = (name: string, ...args: readonly string[]) => [...program, name, '-no-color', ...args]
  const withVariables = async (variables: TerraformVariables) => {
    const file = join(folder, 'given.tfvars.json')
    await writeFile(file, JSON.stringify({ ...given, ...variables }))
    return `-var-file=${file}`
  }
  const change = async (name: 'apply' | 'destroy', variables: TerraformVariables) => {
    const said = await run(command(name, '-auto-approve', '-input=false', await withVariables(variables)), options)
    return /^(Apply|Destroy) complete!.*$/m.exec(said)?.[0] ?? said
  }
  await writeFile(configuration, '')
  await run(command('init', `-plugin-dir=${client('terraform-providers')}`, '-input=false'), options)
  return {
    apply: (variables = {}) => change('apply', variables),
    destroy: (variables = {}) => change('destroy', variables),
    async changes(variables = {}) {
      const args = ['-detailed-exitcode', '-input=false', await withVariables(variables)]
      const { exitCode, stdout, stderr } = await attempt(command('plan', ...args), options)
      if (exitCode === 0) return undefined
      if (exitCode === 2) return stdout
      throw new Error(`terraform plan failed: ${stdout}\n${stderr}`)
    },
    async output<Outputs>() {
      const printed = JSON.parse(await run(command('output', '-json'), options)) as Record<string, { value: unknown }>
      return Object.fromEntries(Object.entries(printed).map(([name, { value }]) => [name, value])) as Outputs
    },
    run: (name, ...args) => run(command(name, ...args), options),
  }
}
