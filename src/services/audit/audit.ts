import type { ApiCall, AuditTrail, ServiceEvent } from '../../domain/audit/api-call.ts'
import { callRecord, serviceRecord } from '../../domain/audit/record.ts'
import type { Ids } from '../../lib/ids.ts'
import type { AuditLog } from '../../stores/audit.ts'

const STRANGERS_PER_SECOND_MAX = 20

/** Writes down who did what, and why it was or was not let through. */
export class Audit implements AuditTrail {
  readonly isOn = true
  readonly #log: AuditLog
  readonly #ids: Ids
  readonly #hostAccountId: string
  readonly #report: (error: unknown) => void
  #strangersSecond = 0
  #strangers = 0

  /** `hostAccountId`: in whose trail the calls of strangers are told. */
  constructor(log: AuditLog, ids: Ids, hostAccountId: string, report: (error: unknown) => void) {
    this.#log = log
    this.#ids = ids
    this.#hostAccountId = hostAccountId
    this.#report = report
  }

  recordCall(call: ApiCall): void {
    const { principal, ownerAccountIds } = call
    const isStranger = principal === undefined || principal.kind === 'anonymous'
    if (isStranger && ownerAccountIds.length === 0 && this.#areStrangersTooMany(call.at)) return
    const caller = isStranger ? [] : [principal.accountId]
    const recipients = new Set([...caller, ...ownerAccountIds])
    if (recipients.size === 0) recipients.add(this.#hostAccountId)
    for (const recipient of recipients) this.#append(() => callRecord(call, recipient, this.#ids.uuid()))
  }

  recordServiceEvent(event: ServiceEvent): void {
    this.#append(() => serviceRecord(event, this.#ids.uuid()))
  }

  /** Nobody who is unknown may push the history of others out of the log. */
  #areStrangersTooMany(at: Date): boolean {
    const second = Math.floor(at.getTime() / 1000)
    if (second !== this.#strangersSecond) this.#strangers = 0
    this.#strangersSecond = second
    return ++this.#strangers > STRANGERS_PER_SECOND_MAX
  }

  #append(record: () => object): void {
    try {
      this.#log.append(JSON.stringify(record()))
    } catch (failure) {
      // A request that was carried out stays carried out.
      this.#report(failure)
    }
  }
}
