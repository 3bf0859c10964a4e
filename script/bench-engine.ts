export { benchReplay as benchEngine } from './bench-replay.ts'
