import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRepositoryCommand, type ECRClient, type EncryptionConfiguration } from '@aws-sdk/client-ecr'
import type { BackupOrder } from '../../src/app/backup-runs.ts'
import { type RestoreReport, type RestoreRequest, restoreBackup } from '../../src/app/restore.ts'
import { type App, createApp } from '../../src/app.ts'
import { type DataLock, lockDataDirectory } from '../../src/cli/data-lock.ts'
import { readConfig } from '../../src/config/config.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { type HttpServer, startHttpServer } from '../../src/protocols/http/server.ts'
import type { Served } from './clients/wire.ts'
import { ecrClient, loginPassword } from './start-registry.ts'

/** A directory in which registries are backed up and restored; one of them runs at a time. */
export class RegistryPlaces {
  readonly directory: string
  #running: { readonly app: App; readonly server: HttpServer; readonly lock: DataLock } | undefined
  #served: Served = { url: '', password: '' }

  private constructor(directory: string) {
    this.directory = directory
  }

  static async make(): Promise<RegistryPlaces> {
    return new RegistryPlaces(await mkdtemp(join(tmpdir(), 'ecru-backup-')))
  }

  path(...names: string[]): string {
    return join(this.directory, ...names)
  }

  /** Where the registry that runs answers, and a login to it. */
  get served(): Served {
    return this.#served
  }

  async start(name: string, env: Readonly<Record<string, string>> = {}): Promise<App> {
    await this.stop()
    const { config } = readConfig({ ECRU_DATA_DIR: this.path(name), ECRU_GC_GRACE: '0', ...env })
    const lock = lockDataDirectory(this.path(name), 'serve')
    try {
      const app = await createApp(config, silentLogger)
      const listening = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger: silentLogger }
      const server = startHttpServer(listening, app.handle)
      this.#running = { app, server, lock }
      this.#served = { url: server.url, password: await loginPassword(server.url) }
      return app
    } catch (failure) {
      lock.release()
      throw failure
    }
  }

  async stop(): Promise<void> {
    if (this.#running === undefined) return
    const { app, server, lock } = this.#running
    this.#running = undefined
    await server.close(0)
    await app.close()
    lock.release()
  }

  async ask<T>(work: (ecr: ECRClient) => Promise<T>): Promise<T> {
    const ecr = ecrClient(this.#served.url)
    try {
      return await work(ecr)
    } finally {
      ecr.destroy()
    }
  }

  async createRepository(repositoryName: string, encryptionConfiguration?: EncryptionConfiguration): Promise<void> {
    await this.ask((ecr) => ecr.send(new CreateRepositoryCommand({ repositoryName, encryptionConfiguration })))
  }

  order(change: Partial<BackupOrder> = {}): BackupOrder {
    return { to: this.path('backup'), includesKeys: true, includesAdvisories: true, isThorough: false, ...change }
  }

  async restore(change: Partial<RestoreRequest> = {}, to = 'restored'): Promise<RestoreReport> {
    await mkdir(this.path(to), { recursive: true })
    const request = { from: this.path('backup'), isDespiteDamage: false, isKeyConfigured: false, ...change }
    return await restoreBackup(this.path(to), request, systemClock)
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.directory, { recursive: true })
  }
}
