import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stage } from './stage.ts'
import { initializeTerraform, type TerraformFolder } from './terraform-folder.ts'

/** The configurations beside this file: what they hold of. */
export type TerraformConfiguration =
  | 'terraform'
  | 'terraform-events'
  | 'terraform-iam'
  | 'terraform-keys'
  | 'terraform-metrics'
  | 'terraform-pull-through'

/** Terraform with the AWS provider, its endpoints on a stage, its files in the stage's directory. */
export interface Terraform extends TerraformFolder {
  /** Throws the state away, so that the next `apply` imports everything. */
  forget(): Promise<void>
}

/** Opens a configuration that names every resource and data source of a service which Ecru answers: ECR's unless told otherwise. */
export async function openTerraform(stage: Stage, name: TerraformConfiguration = 'terraform'): Promise<Terraform> {
  const configuration = join(import.meta.dir, name)
  await copyFile(join(configuration, 'main.tf'), stage.path('main.tf'))
  return {
    ...(await initializeTerraform(stage.dir, { variables: { endpoint: stage.url } })),
    async forget() {
      await rm(stage.path('terraform.tfstate'))
      await copyFile(join(configuration, 'imports.tf.later'), stage.path('imports.tf'))
    },
  }
}
