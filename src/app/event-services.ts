import { readFileSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { type DestinationTable, parseDestinations } from '../domain/eventbridge/destination.ts'
import type { Clock } from '../lib/clock.ts'
import type { Access } from '../services/access/access.ts'
import { EventLog } from '../services/events/event-log.ts'
import { EventRuleAccess } from '../services/events/event-rule-access.ts'
import { EventRules } from '../services/events/event-rules.ts'
import { EventTargets } from '../services/events/event-targets.ts'
import { PutEvents } from '../services/events/put-events.ts'
import type { MetadataStore } from '../stores/metadata.ts'

/** What events stand on. */
export interface EventFoundation {
  readonly metadata: MetadataStore
  readonly clock: Clock
}

/** What EventBridge is made of. `onChange` hears when there may be something to deliver. */
export function createEventServices(
  { metadata, clock }: EventFoundation,
  access: Access,
  destinations: DestinationTable,
  onChange: () => void,
) {
  const ruleAccess = new EventRuleAccess(metadata, access)
  return {
    eventDestinations: destinations,
    eventLog: new EventLog(metadata, onChange),
    eventRules: new EventRules(metadata, ruleAccess, onChange),
    eventTargets: new EventTargets(metadata, ruleAccess, destinations, onChange),
    putEvents: new PutEvents(metadata, ruleAccess, clock),
  }
}

/** The operator's table of destinations. Throws when it cannot be read. */
export function eventDestinationsOf({ events: { targetsFile } }: Config): DestinationTable {
  return targetsFile === undefined ? new Map() : parseDestinations(readFileSync(targetsFile, 'utf8'))
}
