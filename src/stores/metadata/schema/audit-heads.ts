/** How far a log has come. */
export interface AuditHeadsTable {
  log: string
  sequence: number
  mac: string
}
