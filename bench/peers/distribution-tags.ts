import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const atOnce = 64

/**
 * Gives a repository of distribution many tags by writing what it would write: a directory for each with a link to a
 * manifest. Enough for a list of tags, which looks at names alone. For a registry that is not running.
 */
export async function seedDistributionTags(
  directory: string,
  repository: string,
  tags: readonly string[],
): Promise<void> {
  const root = join(directory, 'data/docker/registry/v2/repositories', repository, '_manifests/tags')
  await mkdir(root, { recursive: true })
  const link = `sha256:${'0'.repeat(64)}`
  for (let done = 0; done < tags.length; done += atOnce) {
    await Promise.all(
      tags.slice(done, done + atOnce).map(async (tag) => {
        await mkdir(join(root, tag, 'current'), { recursive: true })
        await writeFile(join(root, tag, 'current', 'link'), link)
      }),
    )
  }
}
