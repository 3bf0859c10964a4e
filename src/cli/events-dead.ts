/**
 * `grabber events dead list · replay · drop`: the dead letters of the stream GRABBER_DEAD. Runs as a command. A letter leaves the
 * stream only when what it tells of is stored again, or when a person says so.
 */
import type { Command } from 'commander'
import { type CliContext, openConfig, usage } from './context.ts'
import { DeadDesk, type Letter } from './dead-desk.ts'
import { table } from './table.ts'

interface DeadFlags {
  nats?: string
  json?: true
  all?: true
}

export function registerDead(events: Command, context: CliContext): void {
  const dead = events.command('dead').description('what could not be processed, and why')
  const server = ['--nats <url>', 'another server: nats://host:4222'] as const

  dead
    .command('list')
    .description('the dead letters, oldest first')
    .option('--json', 'one JSON array, with what each letter holds')
    .option(...server)
    .addHelpText('after', '\nExample:\n  grabber events dead list')
    .action(async ({ json, nats }: DeadFlags, command: Command) => {
      const { config } = openConfig(context, command)
      await using desk = await DeadDesk.open(config, nats)
      const letters = await desk.list()
      context.stdout.write(json ? `${JSON.stringify(letters.map(row), null, 2)}\n` : lettersTable(letters))
    })

  dead
    .command('replay [seqs...]')
    .description('publish again what the letters tell of; a letter goes when that is stored')
    .option('--all', 'every letter')
    .option(...server)
    .addHelpText('after', '\nExample:\n  grabber events dead replay 3 4')
    .action(async (seqs: string[], { all, nats }: DeadFlags, command: Command) => {
      const { config } = openConfig(context, command)
      const wanted = chosen(seqs, all)
      await using desk = await DeadDesk.open(config, nats)
      await desk.each(context, wanted, (letter) => desk.replay(letter))
    })

  dead
    .command('drop [seqs...]')
    .description('forget letters for good')
    .option('--all', 'every letter')
    .option(...server)
    .addHelpText('after', '\nExample:\n  grabber events dead drop 3')
    .action(async (seqs: string[], { all, nats }: DeadFlags, command: Command) => {
      const { config } = openConfig(context, command)
      const wanted = chosen(seqs, all)
      await using desk = await DeadDesk.open(config, nats)
      await desk.each(context, wanted, async () => 'dropped')
    })
}

function chosen(seqs: readonly string[], all = false): number[] | 'all' {
  if (all === seqs.length > 0) throw usage('give numbers of letters, or --all')
  if (all) return 'all'
  return seqs.map((text) => {
    if (!/^[1-9]\d*$/.test(text)) throw usage(`${text} is not the number of a letter`)
    return Number(text)
  })
}

function row({ seq, storedAtMs, letter }: Letter) {
  return { seq, time: new Date(storedAtMs).toISOString(), ...(letter ?? { reason: null }) }
}

function lettersTable(letters: readonly Letter[]): string {
  if (letters.length === 0) return 'there are no dead letters\n'
  const rows = letters.map(({ seq, storedAtMs, subject, letter }) => [
    String(seq),
    new Date(storedAtMs).toISOString(),
    letter?.subject ?? subject,
    letter?.reason.code ?? '',
    letter?.reason.message.replaceAll(/\s+/g, ' ') ?? 'not a letter',
  ])
  return table([['SEQ', 'TIME', 'SUBJECT', 'CODE', 'REASON'], ...rows])
}
