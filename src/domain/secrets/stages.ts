import { CURRENT, PREVIOUS } from './secret.ts'

interface Staged {
  readonly versionId: string
  readonly stages: readonly string[]
}

/**
 * The labels of all versions after one of them was given some: each label is on one version only, and the version that was
 * current before becomes the previous one.
 */
export function movedStages<Version extends Staged>(
  versions: readonly Version[],
  versionId: string,
  given: readonly string[],
): readonly Version[] {
  const former = versions.find(({ stages }) => stages.includes(CURRENT))
  const demoted = given.includes(CURRENT) && former?.versionId !== versionId ? former?.versionId : undefined
  const taken = new Set(demoted === undefined ? given : [...given, PREVIOUS])
  return versions.map((version) => {
    if (version.versionId === versionId)
      return { ...version, stages: [...new Set([...version.stages.filter((stage) => !taken.has(stage)), ...given])] }
    const kept = version.stages.filter((stage) => !taken.has(stage))
    return { ...version, stages: version.versionId === demoted ? [...kept, PREVIOUS] : kept }
  })
}
