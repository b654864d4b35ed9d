import { cp } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Stage } from './stage.ts'
import { initializeTerraform, type TerraformFolder } from './terraform-folder.ts'

/** Where the project keeps its Terraform modules. */
export const MODULES = resolve(import.meta.dir, '../../../terraform/modules')

/**
 * Copies the modules into the stage's directory, once for each folder that is opened, and initialises that folder: a
 * module by itself, or one of its examples. The provider finds Ecru by the environment alone, as it would in a shell.
 */
export async function openModule(stage: Stage, folder: string): Promise<TerraformFolder> {
  const copy = stage.path(`terraform-${folder.replaceAll('/', '-')}`)
  await cp(MODULES, copy, { recursive: true })
  return initializeTerraform(resolve(copy, folder), { env: stage.awsEnvironment })
}
