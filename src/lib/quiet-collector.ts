/** What a process says of itself, and what it can do about it. */
export interface OwnMemory {
  /** Processor time used so far, in microseconds. */
  cpuMicros(): number
  /** Resident, in bytes. */
  residentBytes(): number
  /** Collects garbage, at once. */
  collect(): void
}

export const ownMemory: OwnMemory = {
  cpuMicros() {
    const { user, system } = process.cpuUsage()
    return user + system
  },
  residentBytes: () => process.memoryUsage.rss(),
  collect: () => Bun.gc(true),
}

/** Below this share of one processor there is nothing that a pause of some milliseconds could hold up. */
const QUIET_SHARE = 0.02
/** Less garbage is not worth the pause. */
const GROWN_BYTES_MIN = 4 * 2 ** 20

/**
 * Gives memory back once the work is done. The garbage collector comes with allocations, so what the last requests left
 * behind would stay for as long as no other ones come. To be called in even intervals.
 */
export class QuietCollector {
  readonly #memory: OwnMemory
  #cpuMicros: number
  #collectedBytes = 0

  constructor(memory: OwnMemory) {
    this.#memory = memory
    this.#cpuMicros = memory.cpuMicros()
  }

  /** Collects when there was hardly any work in the last `intervalMs`, and more memory is held than after the last time. */
  tick(intervalMs: number): void {
    const cpuMicros = this.#memory.cpuMicros()
    const usedMicros = cpuMicros - this.#cpuMicros
    this.#cpuMicros = cpuMicros
    if (usedMicros > QUIET_SHARE * intervalMs * 1000) return
    if (this.#memory.residentBytes() < this.#collectedBytes + GROWN_BYTES_MIN) return
    this.#memory.collect()
    this.#cpuMicros = this.#memory.cpuMicros()
    this.#collectedBytes = this.#memory.residentBytes()
  }
}
