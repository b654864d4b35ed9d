const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

/** What an analysis reads at most. Real images stay far below; archives made to do harm end in `layer-too-large`. */
export interface InventoryLimits {
  /** Bytes of a layer once decompressed. Sparse files count in full: some images hold many GiB of zeros. */
  readonly layerBytes: number
  /** Entries of a layer's archive. */
  readonly layerEntries: number
  readonly pathBytes: number
  /** One archive that has to be in memory as a whole, such as those of Java. */
  readonly fileBytes: number
  /** One program that is held in memory as a whole; larger ones are searched as they pass by, which finds less. */
  readonly programBytes: number
  /** One rpm database, which has to be in memory as a whole. */
  readonly databaseBytes: number
  /** One file of text: dpkg's and apk's databases, lists of dependencies. */
  readonly textBytes: number
  /** What is inflated from archives inside of a layer, all together. */
  readonly inflatedBytes: number
  /** What is kept of a layer: characters of paths, names and versions. */
  readonly keptCharacters: number
  /** From the first byte of a layer to its last. */
  readonly layerMs: number
  /** How long a worker may be silent while it has work. */
  readonly silenceMs: number
}

export const INVENTORY_LIMITS: InventoryLimits = {
  layerBytes: 64 * GIB,
  layerEntries: 2_000_000,
  pathBytes: 4 * KIB,
  fileBytes: 128 * MIB,
  programBytes: 32 * MIB,
  databaseBytes: 256 * MIB,
  textBytes: 32 * MIB,
  inflatedBytes: 4 * GIB,
  keptCharacters: 64 * MIB,
  layerMs: 15 * 60_000,
  silenceMs: 60_000,
}
