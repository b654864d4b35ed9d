import { dlopen, FFIType } from 'bun:ffi'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: from now on nothing reaches the disk, not even the journal. */
const SHUTDOWN = 0x8004587d
const WITHOUT_FLUSHING = 2

/** Where a server keeps its data, in the harness's hands. */
export interface Volume {
  readonly path: string
  /** Loses power under a running server: what was not flushed is gone. Absent: this volume cannot. */
  readonly cutPower?: () => Promise<void>
  /** Brings it back after the server that used it is dead. */
  readonly restorePower?: () => Promise<void>
  remove(): Promise<void>
}

export async function plainVolume(): Promise<Volume> {
  const path = await mkdtemp(join(tmpdir(), 'ecru-torture-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/**
 * A file system of its own (ext4 in a file, through a loop device; needs root), whose kernel can be told to drop dead.
 * It commits its journal only when asked to, so that what survives is what the server flushed.
 */
export async function looseVolume(sizeBytes: number): Promise<Volume> {
  const scratch = await mkdtemp(join(tmpdir(), 'ecru-torture-'))
  let image = join(scratch, 'disk')
  let restored = 0
  const path = join(scratch, 'mounted')
  await mkdir(path)
  const file = await open(image, 'w')
  await file.truncate(sizeBytes)
  await file.close()
  await run('mkfs.ext4', '-q', '-F', '-m', '0', image)
  const mount = () => run('mount', '-o', 'loop,commit=3600', image, path)
  await mount()
  return {
    path,
    cutPower: () => shutDown(path),
    restorePower: async () => {
      await run('umount', path)
      // A process with mounts of its own (a container engine beside us, say) may still hold the dead file system, which
      // would then be mounted again: a copy of its disk is another one.
      const copy = join(scratch, `disk-${++restored}`)
      await run('cp', '--sparse=always', image, copy)
      await rm(image)
      image = copy
      await mount()
    },
    remove: async () => {
      await run('umount', path).catch(() => undefined)
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

/** Whether this machine lets us make such a volume; the reason otherwise. */
export async function whyNoLooseVolume(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    await (await looseVolume(16 * 1024 * 1024)).remove()
    return undefined
  } catch (error) {
    return String(error)
  }
}

async function shutDown(path: string): Promise<void> {
  const libc = dlopen('libc.so.6', { ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 } })
  const directory = await open(path, 'r')
  try {
    const failed = libc.symbols.ioctl(directory.fd, SHUTDOWN, new Uint32Array([WITHOUT_FLUSHING]))
    if (failed !== 0) throw new Error(`the file system at ${path} did not shut down`)
  } finally {
    await directory.close().catch(() => undefined)
    libc.close()
  }
}

async function run(...command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], {
    stdout: 'ignore',
    stderr: 'pipe',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
  const [said, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${said.trim()}`)
}
