import { freePort, program, type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import type { Volume } from '../support/volume.ts'
import { Contents, makeSharedContent, type SharedContent } from './content.ts'
import { readDisk } from './disk.ts'
import { durablePart } from './durable-part.ts'
import { EXPIRING, ExpiringImages } from './expiring-images.ts'
import { explain } from './explain.ts'
import { Inspection } from './inspection.ts'
import { isExplained } from './linearize.ts'
import { Recorder } from './operation.ts'
import { Random } from './random.ts'
import { RepositoryClient } from './repository-client.ts'
import { ABSENT, describeImages, type RepositoryState, Specification, shown } from './specification.ts'
import { UnfinishedUpload } from './unfinished-upload.ts'
import { Violation, Wire } from './wire.ts'
import { Client, LIBRARY, REPOSITORIES } from './workload.ts'

export const GRACE_MS = 2_000
const UPLOAD_EXPIRY_MS = 60_000
const CLIENTS = 6
const LOAD_MS_MAX = 400
/** How long a server lives on without its disk. */
const DYING_MS = 60
/** How long collection may take to find everything after its grace period. */
const COLLECTED_WITHIN_MS = 20_000

const COMMON_ENVIRONMENT = {
  ECRU_GC_INTERVAL: '1s',
  ECRU_GC_GRACE: `${GRACE_MS}ms`,
  // A restoration that takes its time is nothing that calls could be held against.
  ECRU_ACTIVATION_TIME: '0',
  ECRU_UPLOAD_EXPIRY: `${UPLOAD_EXPIRY_MS / 1000}s`,
  ECRU_LOG_LEVEL: 'warn',
  // Lines of this form are not held back, so that those before a kill are there.
  ECRU_LOG_FORMAT: 'pretty',
}

/** One data directory, the servers that come and go on it, and what is known of its content. */
export class Run {
  readonly #seed: string
  readonly #volume: Volume
  readonly #environment: Readonly<Record<string, string>>
  readonly #contents = new Contents()
  readonly #shared: SharedContent
  readonly #specification: Specification
  readonly #states = new Map<string, RepositoryState>(REPOSITORIES.map((name) => [name, ABSENT]))
  readonly #unfinished: UnfinishedUpload
  readonly #expiring: ExpiringImages
  #password = ''
  #registry: RunningRegistry | undefined
  operations = 0
  unanswered = 0

  constructor(seed: string, volume: Volume, encrypts: boolean) {
    this.#seed = seed
    this.#volume = volume
    this.#environment = { ...COMMON_ENVIRONMENT, ECRU_ENCRYPTION: encrypts ? 'on' : 'off' }
    this.#shared = makeSharedContent(this.#contents, new Random(`${seed}/shared`), seed)
    this.#specification = new Specification(this.#contents, GRACE_MS)
    this.#unfinished = new UnfinishedUpload(LIBRARY, volume.cutPower === undefined)
    const [template] = this.#shared.images
    if (template === undefined) throw new Error('no image is shared')
    // Its layers are those of the library, so that they are needed whatever expires.
    this.#expiring = new ExpiringImages(template)
  }

  /** Starts the first server and fills the library. */
  async begin(): Promise<void> {
    const wire = await this.#start()
    this.#password = await wire.logIn()
    const recorder = new Recorder()
    const library = new RepositoryClient(LIBRARY, 'library', wire, recorder, this.#contents)
    await library.create('MUTABLE')
    const { images, indexes } = this.#shared
    for (const image of images) {
      for (const blob of image.blobs) {
        const location = await library.startUpload('oci')
        if (location !== undefined) await library.complete(location, blob, this.#contents.blob(blob).bytes)
      }
      await library.putImage('oci', image.digest, undefined)
    }
    for (const index of indexes) await library.putImage('oci', index.digest, index.name)
    await this.#expiring.prepare(wire, (blob) => this.#contents.blob(blob).bytes)
    await this.#settle(wire, recorder, 'first', true)
  }

  /** Load, sudden death, restart, and the account of it. */
  async cycle(number: number): Promise<void> {
    const random = new Random(`${this.#seed}/${number}`)
    const recorder = new Recorder()
    const wire = this.#wire()
    await this.#unfinished.begin(wire, `${this.#seed}/${number}`)
    const clients = Array.from({ length: CLIENTS }, (_, n) => {
      const name = `c${number}.${n}`
      return new Client(name, new Random(`${this.#seed}/${name}`), wire, recorder, this.#contents, this.#shared)
    })
    const running = [...clients.map((client) => client.run()), this.#expiring.run(wire)]
    const finished = Promise.allSettled(running)
    await Promise.race([Bun.sleep(random.below(LOAD_MS_MAX)), finished])
    const end = random.weighted(
      this.#volume.cutPower === undefined ? { kill: 24, stop: 1, disk: 0 } : { kill: 18, stop: 0, disk: 6 },
    )
    if (end === 'stop') await this.#stop(wire)
    else await this.#kill(end === 'disk' ? wire : undefined)
    for (const client of [...clients, this.#expiring]) client.isStopped = true
    for (const settled of await finished) if (settled.status === 'rejected') throw settled.reason
    if (random.chance(0.15)) await this.#killWhileStarting(random.below(250))
    await this.#settle(await this.#start(), recorder, String(number), random.chance(0.1))
  }

  /**
   * With nobody else there and the grace period over, the disk holds exactly the blobs that images need, and no upload
   * that has expired; the counters that deletes go by are right.
   */
  async checkCollection(): Promise<void> {
    const wire = this.#wire()
    await this.#checkCounters(wire)
    const needed = new Set<string>()
    for (const { images } of this.#states.values())
      for (const image of images) for (const blob of this.#contents.manifest(image).blobs) needed.add(blob)
    const deadline = Date.now() + COLLECTED_WITHIN_MS
    for (;;) {
      const report = await wire.own('POST', 'gc')
      if (report.status !== 200) throw new Violation(`POST gc answers ${report.status} ${report.bytes}`)
      const { blobs, uploads } = await readDisk(this.#volume.path)
      const lost = [...needed].filter((blob) => !blobs.has(blob))
      if (lost.length > 0)
        throw new Violation(`files of needed blobs are gone: ${lost.map((blob) => this.#contents.nameOf(blob))}`)
      const left = [...blobs].filter((blob) => !needed.has(blob))
      // The server was stopped now and then while they waited: that is no excuse, time went on.
      const expired = uploads.filter(
        (touchedAt) => Date.now() - touchedAt.getTime() > UPLOAD_EXPIRY_MS + COLLECTED_WITHIN_MS,
      )
      if (left.length === 0 && expired.length === 0) break
      if (Date.now() > deadline)
        throw new Violation(
          `${left.length} files of unreachable blobs (${left.slice(0, 5).map((blob) => `${this.#contents.nameOf(blob)} ${blob}`)}) and ${expired.length} expired uploads stay, ${COLLECTED_WITHIN_MS} ms after the last delete`,
        )
      await Bun.sleep(200)
    }
    await this.#settle(wire, new Recorder(), 'collection', true)
  }

  /** Runs the load without a kill. */
  async load(number: number, ms: number): Promise<void> {
    const recorder = new Recorder()
    const wire = this.#wire()
    const clients = Array.from({ length: CLIENTS }, (_, n) => {
      const name = `c${number}.${n}`
      return new Client(name, new Random(`${this.#seed}/${name}`), wire, recorder, this.#contents, this.#shared)
    })
    const running = Promise.all(clients.map((client) => client.run()))
    await Promise.race([Bun.sleep(ms), running])
    for (const client of clients) client.isStopped = true
    await running
    await this.#settle(wire, recorder, String(number), false)
  }

  get processId(): number {
    return this.#running().process.pid
  }

  /** Ends the server properly. */
  async end(): Promise<void> {
    await this.#registry?.kill()
    this.#registry = undefined
  }

  /** Reads the state, holds it against the history, and takes it for the start of the next one. */
  async #settle(wire: Wire, recorder: Recorder, cycle: string, isThorough: boolean): Promise<void> {
    const inspection = new Inspection(wire, this.#contents)
    const present = await inspection.repositories()
    for (const name of present.keys())
      if (!REPOSITORIES.includes(name) && name !== EXPIRING)
        throw new Violation(`a repository ${name} that nobody made`)
    for (const [name, before] of this.#states) {
      const whole = recorder.history(name)
      const history = this.#volume.cutPower === undefined ? whole : durablePart(whole)
      this.operations += whole.length
      this.unanswered += whole.filter(({ outcome }) => outcome === undefined).length
      const mutability = present.get(name)
      const touched = new Set([
        ...before.links.keys(),
        ...history.flatMap(({ call }) => ('blob' in call ? [call.blob] : [])),
      ])
      const observed =
        mutability === undefined ? ABSENT : await inspection.repository(name, mutability, touched, isThorough)
      const at = performance.now()
      const isEnd = (state: RepositoryState) => this.#isSeen(state, observed, at)
      isExplained(this.#specification, before, history, isEnd, (furthest) => {
        const account = explain(this.#contents, before, history, observed, furthest)
        throw new Violation(`cycle ${cycle}: no order of events explains ${name}\n${account}`)
      })
      this.#states.set(name, observed)
    }
    await this.#unfinished.finish(wire)
    await this.#expiring.check(wire)
  }

  #isSeen(state: RepositoryState, observed: RepositoryState, at: number): boolean {
    if (state.exists !== observed.exists) return false
    if (!state.exists) return true
    if (state.mutability !== observed.mutability) return false
    for (const status of ['ACTIVE', 'ARCHIVED'] as const)
      if (describeImages(shown(state, status)) !== describeImages(shown(observed, status))) return false
    for (const blob of observed.links.keys()) if (!state.links.has(blob)) return false
    for (const blob of state.links.keys())
      if (!observed.links.has(blob) && !this.#specification.isCollectable(state, blob, at)) return false
    return true
  }

  /** What deletes go by: how many images a repository holds, how many images need a layer. */
  async #checkCounters(wire: Wire): Promise<void> {
    const recorder = new Recorder()
    for (const [name, { exists, images }] of this.#states) {
      if (!exists) continue
      const repository = new RepositoryClient(name, 'counters', wire, recorder, this.#contents)
      const needed = new Set([...images].flatMap((image) => this.#contents.manifest(image).blobs))
      for (const blob of needed) await repository.deleteBlob(blob)
      if (name !== LIBRARY) await repository.delete(false)
    }
    await this.#settle(wire, recorder, 'counters', false)
  }

  async #start(): Promise<Wire> {
    const options = { dataDir: `${this.#volume.path}/data`, env: this.#environment }
    this.#registry = await startRegistry(options)
    return this.#wire()
  }

  /** With `dying`, the disk goes first: what is answered from then on is no promise that could be kept, and must be none. */
  async #kill(dying: Wire | undefined): Promise<void> {
    const registry = this.#running()
    if (dying !== undefined) {
      dying.isDiskGone = true
      await this.#volume.cutPower?.()
      await Bun.sleep(DYING_MS)
    }
    registry.process.kill('SIGKILL')
    await registry.process.exited
    // After the process, which would see its disk fail; what it had not flushed is still only in the kernel's memory.
    if (dying === undefined) await this.#volume.cutPower?.()
    const said = await registry.log()
    await this.end()
    await this.#volume.restorePower?.()
    if (dying === undefined && / (ERROR|FATAL) /.test(said))
      throw new Violation(`the server's log tells of an error:\n${said}`)
  }

  async #stop(wire: Wire): Promise<void> {
    wire.isClosing = true
    const exitCode = await this.#running().stop()
    this.#registry = undefined
    if (exitCode !== 0) throw new Violation(`SIGTERM under load ended the server with ${exitCode}`)
  }

  async #killWhileStarting(afterMs: number): Promise<void> {
    const port = await freePort()
    const child = Bun.spawn([...program(), 'serve'], {
      cwd: `${import.meta.dir}/../..`,
      env: {
        PATH: process.env.PATH,
        ...this.#environment,
        ECRU_PORT: String(port),
        ECRU_DATA_DIR: `${this.#volume.path}/data`,
      },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    await Promise.race([Bun.sleep(afterMs), child.exited])
    if (child.exitCode !== null) throw new Violation(`the server ended by itself with ${child.exitCode} while starting`)
    child.kill('SIGKILL')
    await child.exited
  }

  #wire(): Wire {
    return new Wire(this.#running().port, this.#password)
  }

  #running(): RunningRegistry {
    if (this.#registry === undefined) throw new Error('no server is running')
    return this.#registry
  }
}
