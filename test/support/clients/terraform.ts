import { copyFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { client } from './client-test.ts'
import { attempt, run } from './run-command.ts'
import type { Stage } from './stage.ts'

const CONFIGURATION = join(import.meta.dir, 'terraform')
const COMMAND_TIMEOUT_MS = 240_000

export type TerraformVariables = Readonly<Record<string, string>>

/** Terraform with the AWS provider, its endpoints on a stage, its files in the stage's directory. */
export interface Terraform {
  /** Applies and answers the line that sums it up: `Apply complete! …` or `Destroy complete! …`. */
  apply(variables?: TerraformVariables): Promise<string>
  destroy(variables?: TerraformVariables): Promise<string>
  /** `undefined` when nothing would change; otherwise what would. */
  changes(variables?: TerraformVariables): Promise<string | undefined>
  output(): Promise<Readonly<Record<string, unknown>>>
  /** Throws the state away, so that the next `apply` imports everything. */
  forget(): Promise<void>
}

/** The provider comes from the directory that stands for the client `terraform-providers`: a mirror as Terraform lays it out. */
export async function openTerraform(stage: Stage): Promise<Terraform> {
  const options = {
    cwd: stage.dir,
    timeoutMs: COMMAND_TIMEOUT_MS,
    env: {
      CHECKPOINT_DISABLE: '1',
      HOME: stage.dir,
      TF_CLI_CONFIG_FILE: stage.path('terraform.tfrc'),
      TF_IN_AUTOMATION: '1',
    },
  }
  const command = (name: string, ...args: readonly string[]) => [client('terraform'), name, '-no-color', ...args]
  const withVariables = (variables: TerraformVariables) =>
    Object.entries({ endpoint: stage.url, ...variables }).map(([name, value]) => `-var=${name}=${value}`)
  const change = async (name: 'apply' | 'destroy', variables: TerraformVariables) => {
    const said = await run(command(name, '-auto-approve', '-input=false', ...withVariables(variables)), options)
    return /^(Apply|Destroy) complete!.*$/m.exec(said)?.[0] ?? said
  }
  await writeFile(stage.path('terraform.tfrc'), '')
  await copyFile(join(CONFIGURATION, 'main.tf'), stage.path('main.tf'))
  await run(command('init', `-plugin-dir=${client('terraform-providers')}`, '-input=false'), options)
  return {
    apply: (variables = {}) => change('apply', variables),
    destroy: (variables = {}) => change('destroy', variables),
    async changes(variables = {}) {
      const args = ['-detailed-exitcode', '-input=false', ...withVariables(variables)]
      const { exitCode, stdout, stderr } = await attempt(command('plan', ...args), options)
      if (exitCode === 0) return undefined
      if (exitCode === 2) return stdout
      throw new Error(`terraform plan failed: ${stdout}\n${stderr}`)
    },
    async output() {
      const printed = JSON.parse(await run(command('output', '-json'), options)) as Record<string, { value: unknown }>
      return Object.fromEntries(Object.entries(printed).map(([name, { value }]) => [name, value]))
    },
    async forget() {
      await rm(stage.path('terraform.tfstate'))
      await copyFile(join(CONFIGURATION, 'imports.tf.later'), stage.path('imports.tf'))
    },
  }
}
