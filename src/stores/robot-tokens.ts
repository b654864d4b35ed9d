import type { Region, RegistryId } from '../domain/names.ts'
import type { RobotAction } from '../domain/robot-scope.ts'
import type { Page } from './page.ts'

/** A long-lived login token of a user, narrowed to some repositories and actions. Its secret is kept as a hash alone. */
export interface RobotToken {
  /** Part of what the holder sends. */
  readonly id: string
  /** SHA-256 (hex) of the secret. */
  readonly secretHash: string
  readonly accountId: RegistryId
  /** The region whose registry it logs in to. */
  readonly region: Region
  readonly userArn: string
  /** A namesake made later has another. */
  readonly userId: string
  readonly repositories: readonly string[]
  readonly actions: readonly RobotAction[]
  readonly createdAt: Date
  readonly expiresAt: Date
}

export interface RobotTokenReader {
  find(id: string): Promise<RobotToken | undefined>
  /** In ascending order of id. */
  list(page: Page<string>): Promise<readonly RobotToken[]>
}

export interface RobotTokenWriter extends RobotTokenReader {
  insert(token: RobotToken): Promise<void>
  /** False when it was gone already. */
  delete(id: string): Promise<boolean>
  /** Deletes those that ended before a moment. */
  deleteEnded(before: Date): Promise<number>
}
