import { readFileSync } from 'node:fs'
import { arch, availableParallelism, loadavg, release, totalmem } from 'node:os'
import { capture } from './child-processes.ts'

/** The machine in a few lines, as far as figures depend on it. */
export async function describeMachine(directory: string): Promise<readonly string[]> {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? arch()
  const flags = /^flags\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? ''
  const [device, kind] =
    (await capture(['df', '--output=source,fstype', directory])).trim().split('\n').at(-1)?.split(/\s+/) ?? []
  return [
    `CPU: ${model}, ${availableParallelism()} cores, SHA instructions ${flags.includes('sha_ni') ? 'present' : 'absent'}`,
    `Memory: ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Kernel: Linux ${release()}${flags.includes('hypervisor') ? ', in a virtual machine' : ''}`,
    `Disk: ${kind} on ${device}`,
    `Load before the run: ${loadavg()[0]?.toFixed(2)} (1-minute average; above 0.5 the figures are those of a busy machine)`,
  ]
}
