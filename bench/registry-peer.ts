/** A registry program that can be measured: whether it is here, and how to start it. */
export interface RegistryPeer {
  readonly name: string
  locate(): Promise<Located>
  /** Starts it on a free loopback port with its data below `directory`, which exists and belongs to it alone. */
  start(directory: string, options?: StartOptions): Promise<RunningRegistry>
}

/** Found, with the version it reports; or missing, with the reason. */
export type Located = { readonly version: string } | { readonly missing: string }

export interface StartOptions {
  /** False leaves logins out, for peers whose password check would hide everything else; default true. */
  readonly authentication?: boolean
}

/** A registry that answers. Whoever started it stops it. */
export interface RunningRegistry {
  readonly name: string
  /** Without a trailing slash. */
  readonly url: string
  readonly pid: number
  /** The value of the Authorization header, or undefined when it was started without authentication. */
  readonly authorization: string | undefined
  /** From spawning the process to its first answer. */
  readonly readyMs: number
  /** Makes a repository where the registry does not make them on push. */
  createRepository(name: string): Promise<void>
  /** Ends the process; twice is harmless. */
  stop(): Promise<void>
}
