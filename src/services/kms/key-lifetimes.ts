import { invalidParameter } from '../../domain/errors.ts'
import { keyDisabled, keyStateInvalid } from '../../domain/kms/errors.ts'
import { DAY_MS, DEFAULT_ROTATION_DAYS, type KmsKey, keyArn, rotationOf } from '../../domain/kms/key.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { KeyAccess, KeyCaller } from './key-access.ts'
import type { Keys } from './keys.ts'

const WINDOW_DAYS_MIN = 7
const WINDOW_DAYS_MAX = 30

/** What becomes of keys in time: rotation, and deletion. */
export class KeyLifetimes {
  readonly #metadata: MetadataStore
  readonly #access: KeyAccess
  readonly #keys: Keys
  readonly #clock: Clock

  constructor(metadata: MetadataStore, access: KeyAccess, keys: Keys, clock: Clock) {
    this.#metadata = metadata
    this.#access = access
    this.#keys = keys
    this.#clock = clock
  }

  /** From now on nobody can use it, and at the end of the window it is gone for ever. Throws `key-state-invalid`, `invalid-parameter`. */
  async scheduleDeletion(caller: KeyCaller, named: string, windowDays = WINDOW_DAYS_MAX): Promise<KmsKey> {
    if (windowDays < WINDOW_DAYS_MIN || windowDays > WINDOW_DAYS_MAX)
      throw invalidParameter(
        'pendingWindowInDays',
        `Member must have value from ${WINDOW_DAYS_MIN} to ${WINDOW_DAYS_MAX}`,
      )
    const facts = { 'kms:schedulekeydeletionpendingwindowindays': String(windowDays) }
    return this.#keys.change(caller, named, { action: 'kms:ScheduleKeyDeletion', facts }, async (_, key) => ({
      ...key,
      state: 'PendingDeletion',
      deletion: { at: new Date(this.#clock.now().getTime() + windowDays * DAY_MS), windowDays },
    }))
  }

  /** It is disabled then. Throws `key-state-invalid`. */
  async cancelDeletion(caller: KeyCaller, named: string): Promise<KmsKey> {
    return this.#keys.change(
      caller,
      named,
      { action: 'kms:CancelKeyDeletion' },
      async (_, key) => {
        if (key.state !== 'PendingDeletion') throw keyStateInvalid(keyArn(key), 'not pending deletion')
        return { ...key, state: 'Disabled', deletion: undefined }
      },
      () => true,
    )
  }

  /** Throws `key-disabled`, `key-state-invalid`. */
  async enableRotation(caller: KeyCaller, named: string, periodDays?: number): Promise<void> {
    const facts = { 'kms:rotationperiodindays': periodDays === undefined ? undefined : String(periodDays) }
    await this.#keys.change(caller, named, { action: 'kms:EnableKeyRotation', facts }, async (_, key) => {
      if (key.state === 'Disabled') throw keyDisabled(keyArn(key))
      const days = periodDays ?? key.rotation?.periodDays ?? DEFAULT_ROTATION_DAYS
      if (key.rotation?.periodDays === days) return key
      return { ...key, rotation: rotationOf(days, this.#clock.now()) }
    })
  }

  async disableRotation(caller: KeyCaller, named: string): Promise<void> {
    await this.#keys.change(caller, named, { action: 'kms:DisableKeyRotation' }, async (_, key) => {
      if (key.state === 'Disabled') throw keyDisabled(keyArn(key))
      return { ...key, rotation: undefined }
    })
  }

  async rotationOf(caller: KeyCaller, named: string): Promise<KmsKey> {
    return this.#access.get(caller, named, { action: 'kms:GetKeyRotationStatus' })
  }

  /** Whether something has become due. */
  async isDue(): Promise<boolean> {
    return (await this.#metadata.view.keys.listDue(this.#clock.now(), 1)).length > 0
  }

  /** Does what has become due, one key at a time; `prove` runs in each transaction. Answers what was done. */
  async passTime(
    prove: (tx: MetadataWriter) => Promise<void>,
  ): Promise<{ readonly deleted: number; readonly rotated: number }> {
    let deleted = 0
    let rotated = 0
    for (;;) {
      const now = this.#clock.now()
      const [due] = await this.#metadata.view.keys.listDue(now, 1)
      if (due === undefined) return { deleted, rotated }
      const material = this.#keys.newMaterial()
      await this.#metadata.transact(async (tx) => {
        await prove(tx)
        const key = await tx.keys.find(due.keyId)
        if (key === undefined) return
        if (key.state === 'PendingDeletion' && key.deletion !== undefined && key.deletion.at <= now) {
          await tx.keys.destroy(key.id)
          deleted++
        } else if (key.state === 'Enabled' && key.rotation !== undefined && key.rotation.nextAt <= now) {
          await tx.keys.addMaterial(key.id, material, now)
          await tx.keys.update({ ...key, rotation: rotationOf(key.rotation.periodDays, now) })
          rotated++
        }
      })
    }
  }
}
