/**
 * The name of a decoded picture outside of this folder: only its size and its lease concern anybody there. Session host
 * only; it never leaves it.
 */
export type { Frame as NativeFrame } from 'node-av'
