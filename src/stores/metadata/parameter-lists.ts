const LENGTH_MAX = 512

/**
 * Cuts a list for `in (…)` and pads each piece to a power of two by repeating its last element, so that a query over
 * lists has ten shapes instead of as many as there are lengths, and its statements stay prepared.
 */
export function paddedLists<T>(list: readonly T[]): readonly (readonly T[])[] {
  const pieces: T[][] = []
  for (let from = 0; from < list.length; from += LENGTH_MAX) {
    const piece = list.slice(from, from + LENGTH_MAX)
    const last = piece[piece.length - 1] as T
    const length = 2 ** Math.ceil(Math.log2(piece.length))
    while (piece.length < length) piece.push(last)
    pieces.push(piece)
  }
  return pieces
}

/** Cuts a list for `values (…), (…)` into pieces whose lengths are powers of two, for the same reason. */
export function insertLists<T>(list: readonly T[]): readonly (readonly T[])[] {
  const pieces: T[][] = []
  let from = 0
  while (from < list.length) {
    const length = Math.min(LENGTH_MAX, 2 ** Math.floor(Math.log2(list.length - from)))
    pieces.push(list.slice(from, from + length))
    from += length
  }
  return pieces
}
