/**
 * The commands `node.*`. Runs in the daemon.
 */
import { z } from 'zod'
import type { LiveConfig } from '../live-config.ts'
import { type Command, command } from './command.ts'

export interface NodeInfo {
  node: string
  version: string
  pid: number
  /** RFC 3339, UTC. */
  startedAt: string
  /** Of the inference; `null` without an engine. */
  device: string | null
  httpUrl: string | null
  /** Without credentials; `null` for the bus inside the daemon. */
  natsUrl: string | null
  bus: string
  cameras: number
}

export interface NodePorts {
  live: LiveConfig
  info(): NodeInfo
  /** The actor tree as it is now. */
  supervision(): unknown
}

const nothing = z.strictObject({})

export function nodeCommands({ live, info, supervision }: NodePorts): Command[] {
  return [
    command({
      name: 'node.info',
      description: 'what runs here: version, addresses, configuration',
      input: nothing,
      changes: false,
      run: () => {
        const { file, trouble, restartNeeded } = live
        return { ...info(), config: { file, trouble: trouble === '' ? null : trouble, restartNeeded } }
      },
    }),
    command({
      name: 'node.supervision',
      description: 'the actor tree as it is now',
      input: nothing,
      changes: false,
      run: supervision,
    }),
    command({
      name: 'node.reload',
      description: 'takes the configuration as it is written now; applies what differs',
      input: nothing,
      changes: true,
      run: (_, { door }) => live.reload(`node.reload by ${door}`),
    }),
  ]
}
