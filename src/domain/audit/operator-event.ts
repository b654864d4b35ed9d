/** What operators have done, in the place of a service of AWS. */
export const OPERATOR_SOURCE = 'ecru'

/** The name of an operator's command in records: `admin/token/create` is `AdminTokenCreate`. */
export function operatorEventName(command: string): string {
  const words = command.split(/[/-]/)
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

const READS = /\/(?:certificate|explain|findings|list|preview|show|status|verify)$/

/** Whether an operator's command only reads. */
export function isOperatorRead(command: string): boolean {
  return command === 'cost' || READS.test(command)
}
