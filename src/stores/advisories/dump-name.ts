/** The source whose dumps are named as its folders are. */
const OSV = 'osv'

export type DumpName = (folder: string) => string

/** How the dumps of a source are named, so that what one source withdraws leaves what others say alone. A folder's name has no slash. */
export function dumpNames(source = OSV): DumpName {
  return (folder) => (source === OSV ? folder : `${source}/${folder}`)
}

/** Whether a dump is of a source. */
export function isDumpOf(source: string | undefined, dump: string): boolean {
  return source === undefined || source === OSV ? !dump.includes('/') : dump.startsWith(`${source}/`)
}
