import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const TAIL_EXAMPLES = `  ecru events tail
  ecru events tail --after 1200 --no-follow | jq .event.detail`
const STATUS_EXAMPLES = '  ecru events status || echo "some target is in trouble"'
const LETTER_EXAMPLES = `  ecru events dead-letters
  ecru events dead-letters --forget 17`
const REPLAY_EXAMPLES = `  ecru events replay --rule pushes --from 1200
  ecru events replay --rule pushes --target hook --from 2026-03-02T08:00:00Z --account 123456789012 --region eu-west-3`
const SECRET_EXAMPLES = '  ecru events secret --account 123456789012 --region eu-west-3'

/** `ecru events …`: what happened, and what became of telling it. */
export function describeEvents({ command, group }: CommandLine): void {
  const events = group(
    'events',
    'See what happened, how far the targets of rules have come, and have events delivered again.',
    [TAIL_EXAMPLES, STATUS_EXAMPLES, LETTER_EXAMPLES, REPLAY_EXAMPLES].join('\n'),
  )
  const variables = WHERE
  const tail = command(
    { name: 'tail', summary: 'Print events as they come, a line of JSON each.', examples: TAIL_EXAMPLES, variables },
    async (invocation) => (await import('../events.ts')).tailEvents(invocation),
    events,
  )
    .option('--lines <number>', 'How many that are there already.', '10')
    .option('--after <position>', 'Begin behind this position.')
    .option('--no-follow', 'Do not wait for more.')
  const summary = 'Say how far each target has come; fails when one is in trouble.'
  const status = command(
    { name: 'status', summary, examples: STATUS_EXAMPLES, variables },
    async (invocation) => (await import('../events.ts')).printEventStatus(invocation),
    events,
  )
  const letters = command(
    { name: 'dead-letters', summary: 'List the deliveries that were given up.', examples: LETTER_EXAMPLES, variables },
    async (invocation) => (await import('../events.ts')).deadLetters(invocation),
    events,
  )
    .option('--after <id>', 'Those behind this one.')
    .option('--forget <id>', 'Forget all up to this one.')
  const replay = command(
    {
      name: 'replay',
      summary: 'Deliver events of the past to a rule again, from a position or a time on.',
      examples: REPLAY_EXAMPLES,
      variables,
    },
    async (invocation) => (await import('../events.ts')).replayEvents(invocation),
    events,
  )
    .requiredOption('--rule <name>', 'The rule.')
    .requiredOption('--from <position>', 'A position of the log, or a time such as 2026-03-02T08:00:00Z.')
    .option('--target <id>', 'Only this target of the rule.')
  const secret = command(
    {
      name: 'secret',
      summary: 'Print the secret by which the webhooks of an account are signed.',
      examples: SECRET_EXAMPLES,
      variables,
    },
    async (invocation) => (await import('../events.ts')).printWebhookSecret(invocation),
    events,
  )
  for (const described of [replay, secret])
    described
      .option('--account <id>', 'The account; else the default one.')
      .option('--region <name>', 'The region; else the default one.')
  for (const described of [status, letters, replay, secret]) described.option('--json', 'Print the answer as JSON.')
  for (const described of [tail, status, letters, replay, secret]) described.option(...URL_OPTION)
}
