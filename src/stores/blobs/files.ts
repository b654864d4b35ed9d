import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import type { WritableFile } from './write-behind.ts'

/** A file or directory that is open. */
export interface OpenFile extends WritableFile {
  stat(): Promise<{ readonly size: number }>
  utimes(accessedAt: Date, modifiedAt: Date): Promise<void>
  truncate(sizeBytes: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The calls to the file system on which durability rests: passed in, so that tests can watch them and make them fail. */
export interface Files {
  open(path: string, flags: 'r' | 'r+' | 'wx'): Promise<OpenFile>
  mkdir(path: string): Promise<unknown>
  readdir(path: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
}

export const systemFiles: Files = { open, mkdir, readdir, rename, unlink }
