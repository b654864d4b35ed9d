/** The SDK marks a required member by `| undefined` without `?`; validation takes the `undefined` away, at any depth. */
export type Given<T> = T extends Uint8Array | Date
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Given<Item>[]
    : T extends object
      ? {
          readonly [K in keyof T]: Record<never, never> extends Pick<T, K>
            ? Given<T[K]>
            : Given<Exclude<T[K], undefined>>
        }
      : T
