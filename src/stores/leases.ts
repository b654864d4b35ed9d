/** Sees to it that of several processes over one store only one does a certain job. */
export interface LeaseWriter {
  /**
   * Takes the lease until `until`, or prolongs it. False while another holder has it. Inside the transaction that does a
   * step of the job, it also proves that the lease was not lost meanwhile.
   */
  take(name: string, holder: string, now: Date, until: Date): Promise<boolean>
  /** Gives the lease back; fine if it is another's by now. */
  release(name: string, holder: string): Promise<void>
}
