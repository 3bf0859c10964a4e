/**
 * All commands: one table for every door (docs/commands.md). Runs in the daemon.
 */
import { type CameraPorts, cameraCommands } from './camera-commands.ts'
import type { Command } from './command.ts'
import { type NodePorts, nodeCommands } from './node-commands.ts'

export type CommandPorts = CameraPorts & NodePorts

export function commandTable(ports: CommandPorts): Command[] {
  return [...cameraCommands(ports), ...nodeCommands(ports)]
}
