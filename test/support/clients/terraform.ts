import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stage } from './stage.ts'
import { initializeTerraform, type TerraformFolder } from './terraform-folder.ts'

const CONFIGURATION = join(import.meta.dir, 'terraform')

/** Terraform with the AWS provider, its endpoints on a stage, its files in the stage's directory. */
export interface Terraform extends TerraformFolder {
  /** Throws the state away, so that the next `apply` imports everything. */
  forget(): Promise<void>
}

/** Opens the configuration that names every ECR resource and data source which Ecru answers. */
export async function openTerraform(stage: Stage): Promise<Terraform> {
  await copyFile(join(CONFIGURATION, 'main.tf'), stage.path('main.tf'))
  return {
    ...(await initializeTerraform(stage.dir, { variables: { endpoint: stage.url } })),
    async forget() {
      await rm(stage.path('terraform.tfstate'))
      await copyFile(join(CONFIGURATION, 'imports.tf.later'), stage.path('imports.tf'))
    },
  }
}
