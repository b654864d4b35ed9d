/** Makes something when it is first asked for, and keeps it; what failed is made anew for whoever asks next. */
export class Once<T> {
  readonly #make: () => Promise<T>
  #made: Promise<T> | undefined

  constructor(make: () => Promise<T>) {
    this.#make = make
  }

  get(): Promise<T> {
    this.#made ??= this.#make().catch((failure: unknown) => {
      this.#made = undefined
      throw failure
    })
    return this.#made
  }
}
